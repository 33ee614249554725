using System.Text.Json;
using System.Text.Json.Nodes;
using Bench.Disk.Topology;
using Bench.Measure.Records;
using Xunit;

namespace Bench.Reports.Tests;

public class AnonymousTests
{
    private const string Sentence = "rchar of /proc/self/io; pread on '/mnt/other disk/x' and /srv/hush/y.dat (host build-7, BUILD-7.example.org) by kim at 10.1.2.3: see ~/notes, ./here/z and \"/var/tmp/q r\", device 9f31c4aa02be over /images/loop.img";

    private static readonly string[] Secrets =
        ["build-7", "BUILD-7", "example.org", "/home", "bench data", "kim", "9f31c4aa02be", "/dev/vda1", "other disk", "/srv", "hush", "y.dat",
            "10.1.2.3", "notes", "/here", "q r", "/images", "loop.img", "private-results", "10.9.9.9", "fileserver", "unheard"];

    private static IReadOnlyList<RunRecord> Records()
    {
        var samples = new SampleRecords();
        return [.. samples.All().Select((record, index) => record with
        {
            Case = record.Case + " /home/kim/case",
            Error = record.Error is null ? null : Sentence,
            Warnings = [Sentence],
            Effective = new JsonObject { ["path"] = "/srv/hush/y.dat", ["list"] = new JsonArray("/home/kim/bench data/f"), ["note"] = Sentence },
            Evidence = new EvidenceRecord
            {
                Verdict = record.Evidence.Verdict,
                Claims = [new ClaimRecord { Claim = "direct", Verdict = record.Evidence.Verdict, Reason = Sentence, Figures = [new FigureRecord { Name = "n", Expected = "as /srv/hush/y.dat" }] }],
            },
            Host = record.Host with { Warnings = [Sentence], CgroupIoLimits = ["/srv/hush/y.dat rbps=1"] },
            Target = record.Target with
            {
                Mount = record.Target.Mount with { FileSystem = "nfs4", Source = "fileserver:/export", Options = "rw,addr=10.9.9.9,subvol=/home/kim" },
                Warnings = [Sentence],
                Devices = [.. record.Target.Devices, new BlockDevice { Name = "loop0", Kind = BlockDeviceKind.Loop, BackingFile = "/images/loop.img" }],
            },
            Tool = record.Tool with { CommandLine = "run --target \"/home/kim/bench data\" --out private-results -o=private-results --filter 'CachePath*'" },
            Unknown = index == 0 ? new Dictionary<string, JsonElement> { ["unheardOf"] = JsonDocument.Parse("\"unheard\"").RootElement } : null,
        })];
    }

    [Fact]
    public void Nothing_that_names_machine_or_person_is_left()
    {
        var options = new ReportOptions { Anonymous = true, Warnings = [Sentence] };
        var page = HtmlReport.Render(Records(), options);
        // The bundle has its own words; what stands before it is the report.
        var report = page[page.IndexOf("</style>", StringComparison.Ordinal)..page.LastIndexOf("<script>", StringComparison.Ordinal)];
        report = string.Join(' ', report.Split('"').Where(part => !part.StartsWith("data:application/gzip", StringComparison.Ordinal)));
        foreach (var text in new[] { report, HtmlReportTests.Embedded(page), MarkdownReport.Render(Records(), options) })
            foreach (var secret in Secrets)
                Assert.False(text.Contains(secret, StringComparison.Ordinal), $"'{secret}' is left: {Around(text, secret)}");
    }

    [Fact]
    public void What_the_figures_mean_stays()
    {
        var page = HtmlReport.Render(Records(), new ReportOptions { Anonymous = true });
        foreach (var text in new[] { "Virtio Block Device", "AMD EPYC 9B14", "6.18.2-amd64", "MB/s", "--filter &#39;CachePath*&#39;", "seed 4711", "nfs4", "/proc/self/io" })
            Assert.Contains(text, page, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_it_everything_is_shown()
    {
        var page = HtmlReport.Render(Records(), new ReportOptions());
        foreach (var text in new[] { "build-7.example.org", "/home/kim/bench data", "9f31c4aa02be", "private-results" })
            Assert.Contains(text, page, StringComparison.Ordinal);
    }

    private static string Around(string text, string secret)
    {
        var at = text.IndexOf(secret, StringComparison.Ordinal);
        return text[Math.Max(0, at - 80)..Math.Min(text.Length, at + 80)];
    }
}
