using Bench.SegmentLog.Format;
using Xunit;

namespace Bench.Harness.Tests.SegmentLog;

public class RecordCheckTests
{
    /// <summary>Records with lengths of one byte, two and three, with and without keys, values and headers, sound and with a few bytes changed.</summary>
    [Fact]
    public void It_takes_what_the_reader_takes_and_nothing_else()
    {
        var random = new Random(5);
        int sound = 0, damaged = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var records = Records(random, out var count);
            for (var changes = random.Next(3); changes > 0; changes--)
                records[random.Next(4) == 0 ? random.Next(records.Length) : random.Next(Math.Min(24, records.Length))] ^= (byte)(1 << random.Next(8));
            var wanted = Reads(records, count);
            Assert.True(wanted == Checks(records, count), $"round {round}: the reader {(wanted ? "takes" : "refuses")} what the check does not");
            if (wanted)
                sound++;
            else
                damaged++;
        }
        Assert.True(sound > 4000 && damaged > 4000, $"{sound} sound, {damaged} damaged");
    }

    /// <summary>Offsets of three bytes begin at 8,192.</summary>
    [Fact]
    public void It_takes_a_batch_of_very_many_records()
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new BatchSettings());
        for (var i = 0; i < 10_000; i++)
            builder.Append(i, default, new byte[20], NullParts.Key);
        var payload = new BatchView(builder.Build()).Payload.ToArray();
        RecordCheck.Check(payload, 10_000);
        Assert.Throws<CorruptLogException>(() => RecordCheck.Check(payload, 9_999));
        Assert.Throws<CorruptLogException>(() => RecordCheck.Check(payload, 10_001));
    }

    private static byte[] Records(Random random, out int count)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new BatchSettings());
        for (count = 0; count < random.Next(1, 6); count++)
        {
            var nulls = random.Next(6) switch { 0 => NullParts.Key, 1 => NullParts.Value, 2 => NullParts.Key | NullParts.Value, _ => NullParts.None };
            var key = (nulls & NullParts.Key) != 0 ? [] : new byte[random.Next(random.Next(3) == 0 ? 100 : 4)];
            var value = (nulls & NullParts.Value) != 0 ? [] : new byte[random.Next(random.Next(3) == 0 ? 20_000 : 40)];
            random.NextBytes(value);
            RecordHeader[] headers = random.Next(8) == 0 ? [new RecordHeader(new byte[] { 65 }, new byte[random.Next(3)])] : [];
            builder.Append(count, random.Next(random.Next(2) == 0 ? 60 : 100_000), key, value, nulls, headers);
        }
        return new BatchView(builder.Build()).Payload.ToArray();
    }

    private static bool Reads(byte[] records, int count)
    {
        try
        {
            var reader = new RecordReader(records, count);
            for (var i = 0; reader.Next(); i++)
                if (reader.Current.OffsetDelta != i)
                    return false;
            return true;
        }
        catch (CorruptLogException)
        {
            return false;
        }
    }

    private static bool Checks(byte[] records, int count)
    {
        try
        {
            RecordCheck.Check(records, count);
            return true;
        }
        catch (CorruptLogException)
        {
            return false;
        }
    }
}
