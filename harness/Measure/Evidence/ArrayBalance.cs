using System.Globalization;
using Bench.Measure.Records;

namespace Bench.Measure.Evidence;

/// <summary>
/// Whether the members of an array share the work, from their own counters: one slow member holds a whole stripe up,
/// and in the array's figure it looks like a slow array. fio's disk_util shows the members' use and draws no
/// conclusion; iostat shows it to whoever watches at the right second.
/// </summary>
public static class ArrayBalance
{
    /// <summary>Fewer requests of a member than this say nothing of its speed.</summary>
    private const long FewestRequests = 50;

    /// <summary>A request takes so many times that of the other members.</summary>
    private const double SlowFactor = 2;

    /// <summary>And so much longer: the counter's grain is a millisecond, summed over requests.</summary>
    private const double SlowSeconds = 0.5e-3;

    /// <summary>A member that moves so many times its share.</summary>
    private const double UnevenFactor = 1.5;

    private const long FewestBytes = 16 << 20;

    /// <summary>What is wrong with the balance, a sentence each; nothing without an array.</summary>
    public static IEnumerable<string> Doubts(IReadOnlyList<PassRecord> passes)
    {
        var members = passes.SelectMany(pass => pass.Members ?? []).GroupBy(member => member.Name, StringComparer.Ordinal).Select(group => (
            Name: group.Key,
            Bytes: group.Sum(member => member.ReadBytes + member.WriteBytes),
            Requests: group.Sum(member => member.Requests),
            Seconds: group.Sum(member => member.RequestSeconds))).ToArray();
        if (members.Length < 2)
            yield break;
        foreach (var member in members.Where(member => member.Requests >= FewestRequests))
        {
            double[] others = [.. members.Where(other => other.Name != member.Name && other.Requests >= FewestRequests).Select(other => other.Seconds / other.Requests)];
            var (mine, usual) = (member.Seconds / member.Requests, MedianInterval.Of(others)?.Median);
            if (usual is { } theirs && mine >= SlowFactor * theirs && mine - theirs >= SlowSeconds)
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"the member {member.Name} of the array is slower than the others: a request takes it {mine * 1e3:0.0} ms, the others {theirs * 1e3:0.0} ms; the array waits for its slowest member");
        }
        var bytes = members.Sum(member => member.Bytes);
        var most = members.MaxBy(member => member.Bytes);
        if (bytes >= FewestBytes && most.Bytes >= UnevenFactor * bytes / members.Length)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"the load is uneven: {most.Name} moved {(double)most.Bytes / bytes:P0} of the bytes of {members.Length} members");
    }
}
