using System.Text;
using Bench.Disk;
using Bench.Measure.Records;
using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class RunStoreTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string FileName => Path.Combine(folder.FullPath, RunStore.FileName);

    private static string Line(string id) => RecordJson.Write(Samples.Record(id));

    private void Write(string text) => File.WriteAllText(FileName, text);

    private string[] Cases(string? path = null) => [.. RunStore.Read(path ?? folder.FullPath).Records.Select(record => record.Case)];

    [Fact]
    public void EachRecordIsInTheFileWhenAppendReturns()
    {
        var run = folder.File("new/run");
        using var store = RunStore.Open(run);
        Assert.Empty(Cases(run));
        for (var i = 1; i <= 3; i++)
        {
            store.Append(Samples.Record($"case {i}"));
            Assert.Equal(Enumerable.Range(1, i).Select(n => $"case {n}"), Cases(run));
            Assert.EndsWith("\n", File.ReadAllText(Path.Combine(run, RunStore.FileName)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AReopenedFileIsAppendedTo()
    {
        using (var store = RunStore.Open(folder.FullPath))
            store.Append(Samples.Record("first"));
        using (var store = RunStore.Open(folder.FullPath))
        {
            Assert.Null(store.Warning);
            store.Append(Samples.Record("second"));
        }
        Assert.Equal(["first", "second"], Cases());
    }

    /// <summary>A crash can tear the last line at any byte: the records before it are read, with a warning, and kept on reopening.</summary>
    [Fact]
    public void ATornLastLineIsDroppedWithAWarningAndNothingElse()
    {
        var whole = Encoding.UTF8.GetBytes(Line("first") + "\n" + Line("second") + "\n");
        var last = Encoding.UTF8.GetBytes(Line("thïrd"));
        foreach (var cut in Enumerable.Range(1, 40).Append(last.Length / 2).Concat(Enumerable.Range(last.Length - 40, 40)))
        {
            File.WriteAllBytes(FileName, [.. whole, .. last.AsSpan(0, cut)]);
            var (records, warnings) = RunStore.Read(folder.FullPath);
            Assert.Equal(["first", "second"], records.Select(record => record.Case));
            Assert.Contains(FileName, Assert.Single(warnings), StringComparison.Ordinal);

            using (var store = RunStore.Open(folder.FullPath))
            {
                Assert.Contains("torn", store.Warning, StringComparison.Ordinal);
                store.Append(Samples.Record("fourth"));
            }
            (records, warnings) = RunStore.Read(folder.FullPath);
            Assert.Equal(["first", "second", "fourth"], records.Select(record => record.Case));
            Assert.Empty(warnings);
        }
    }

    [Fact]
    public void ALineOfZerosIsTornToo()
    {
        Write(Line("first") + "\n" + new string('\0', 5000));
        Assert.Equal(["first"], Cases());
        RunStore.Open(folder.FullPath).Dispose();
        Assert.Equal(Line("first") + "\n", File.ReadAllText(FileName));
    }

    [Fact]
    public void AWholeLastLineWithoutItsLineBreakIsARecord()
    {
        Write(Line("first") + "\n" + Line("second"));
        var (records, warnings) = RunStore.Read(folder.FullPath);
        Assert.Equal(["first", "second"], records.Select(record => record.Case));
        Assert.Empty(warnings);
        using (var store = RunStore.Open(folder.FullPath))
            store.Append(Samples.Record("third"));
        Assert.Equal(["first", "second", "third"], Cases());
    }

    [Fact]
    public void ANewerRecordInTheLastLineIsRefusedAndNotTakenForATornOne()
    {
        var newer = Line("second").Replace("bench.record/1", "bench.record/2", StringComparison.Ordinal);
        Write(Line("first") + "\n" + newer);
        Assert.Contains("newer", Assert.Throws<RecordException>(() => RunStore.Read(folder.FullPath)).Message, StringComparison.Ordinal);
        Assert.Contains("newer", Assert.Throws<RecordException>(() => RunStore.Open(folder.FullPath)).Message, StringComparison.Ordinal);
        Assert.EndsWith(newer, File.ReadAllText(FileName), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"schema\":\"bench.rec")]
    public void ABrokenLineInTheMiddleIsAnErrorThatNamesFileAndLine(string end)
    {
        foreach (var broken in new[] { Line("x")[..100], "garbage", "{}", "\0\0\0" })
        {
            Write(Line("first") + "\n\n" + broken + "\n" + Line("third") + "\n" + end);
            Assert.Contains($"{FileName}, line 3: ", Assert.Throws<RecordException>(() => RunStore.Read(folder.FullPath)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("{\"fio version\":\"fio-3.36\"}")]
    [InlineData("{\"a\":1}}")]
    [InlineData("{a")]
    public void AFileOfSomethingElseIsAnErrorAndNotTorn(string text)
    {
        Write(text);
        Assert.Contains("line 1", Assert.Throws<RecordException>(() => RunStore.Read(FileName)).Message, StringComparison.Ordinal);
        Assert.Throws<RecordException>(() => RunStore.Open(folder.FullPath));
        Assert.Equal(text, File.ReadAllText(FileName));
    }

    [Fact]
    public void WindowsLineEndsByteOrderMarkAndEmptyLinesAreRead()
    {
        File.WriteAllText(FileName, Line("first") + "\r\n\r\n" + Line("second") + "\r\n  \r\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        var (records, warnings) = RunStore.Read(FileName);
        Assert.Equal(["first", "second"], records.Select(record => record.Case));
        Assert.Empty(warnings);
    }

    [Fact]
    public void AnEmptyFileIsARunWithoutRecords()
    {
        Write("");
        var (records, warnings) = RunStore.Read(folder.FullPath);
        Assert.Empty(records);
        Assert.Empty(warnings);
    }

    [Fact]
    public void WhatIsNoRunSaysSo()
    {
        Assert.Contains("no run there", Assert.Throws<RecordException>(() => RunStore.Read(folder.FullPath)).Message, StringComparison.Ordinal);
        Assert.Contains("no run there", Assert.Throws<RecordException>(() => RunStore.Read(folder.File("missing"))).Message, StringComparison.Ordinal);
        folder.Folder(RunStore.FileName);
        Assert.Contains("no run there", Assert.Throws<RecordException>(() => RunStore.Read(folder.FullPath)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ARecordThatCannotBeWrittenLeavesTheFileAsItWas()
    {
        using var store = RunStore.Open(folder.FullPath);
        store.Append(Samples.Record("first"));
        Assert.Throws<RecordException>(() => store.Append(Samples.Record("second") with { TotalSeconds = double.NaN }));
        store.Append(Samples.Record("third"));
        Assert.Equal(["first", "third"], Cases());
    }

    /// <summary>A disk that fills up in the middle of a record: what was there stays readable, with no half line behind it.</summary>
    [RootFact]
    public void AFullDiskLeavesTheEarlierRecordsAndNoHalfLine()
    {
        using var small = new TmpfsMount(64 << 10);
        using var store = RunStore.Open(small.MountPath);
        var kept = 0;
        var full = Assert.Throws<DiskException>(() =>
        {
            for (; kept < 100; kept++)
                store.Append(Samples.Record($"case {kept}"));
        });
        Assert.True(full.IsNoSpace);
        Assert.InRange(kept, 1, 99);
        var (records, warnings) = RunStore.Read(small.MountPath);
        Assert.Equal(kept, records.Count);
        Assert.Empty(warnings);
    }
}
