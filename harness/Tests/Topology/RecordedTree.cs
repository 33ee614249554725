using Bench.Disk.Topology;

namespace Bench.Harness.Tests.Topology;

/// <summary>
/// A tree of files as a machine exports them, unpacked to a folder of its own and removed afterwards. The text format, so
/// that neither links nor odd names nor blanks at line ends depend on git or an editor:
/// <code>
/// # comment
/// path&lt;TAB&gt;line        a file; the same path again is its next line; "\c" at the end: no newline
/// path -> target        a symbolic link
/// path/                 a folder
/// </code>
/// with \\, \n, \t and \xNN in a line. The trees beside this file are composed: the layout of a kernel of the version in
/// their first line, cut to what bears on the topology, with invented serials.
/// </summary>
public sealed class RecordedTree : IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"bench-tree-{Guid.NewGuid():N}");

    public RecordedTree(string text)
    {
        Directory.CreateDirectory(folder);
        foreach (string line in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
            Add(line);
        Root = new SystemRoot(folder);
    }

    public SystemRoot Root { get; }

    public static RecordedTree Load(string name)
    {
        return new RecordedTree(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Topology", "trees", $"{name}.tree")));
    }

    public string OnMachine(string path) => Path.Combine(folder, path.TrimStart('/'));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Add(string line)
    {
        int tab = line.IndexOf('\t', StringComparison.Ordinal);
        int arrow = line.IndexOf(" -> ", StringComparison.Ordinal);
        if (tab >= 0)
        {
            string content = line[(tab + 1)..];
            bool newline = !content.EndsWith("\\c", StringComparison.Ordinal);
            using FileStream file = new(InParent(line[..tab]), FileMode.Append);
            file.Write(Bytes(newline ? content + "\n" : content[..^2]));
        }
        else if (arrow >= 0)
        {
            File.CreateSymbolicLink(InParent(line[..arrow]), line[(arrow + 4)..]);
        }
        else if (line.EndsWith('/'))
        {
            Directory.CreateDirectory(OnMachine(line));
        }
        else
        {
            throw new InvalidDataException($"Not a line of a recorded tree: {line}");
        }
    }

    private string InParent(string path)
    {
        string file = OnMachine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        return file;
    }

    private static byte[] Bytes(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                bytes.AddRange(System.Text.Encoding.UTF8.GetBytes([text[i]]));
                continue;
            }

            switch (text[++i])
            {
                case 'n': bytes.Add((byte)'\n'); break;
                case 't': bytes.Add((byte)'\t'); break;
                case 'x': bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16)); i += 2; break;
                default: bytes.Add((byte)text[i]); break;
            }
        }

        return [.. bytes];
    }
}
