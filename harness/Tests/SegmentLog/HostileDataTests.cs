using System.Globalization;
using System.IO.Compression;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;
using static Bench.Harness.Tests.SegmentLog.Codecs;

namespace Bench.Harness.Tests.SegmentLog;

/// <summary>Compressed data made to harm: it decodes within the bound or is refused, and takes no more memory than that.</summary>
public class HostileDataTests
{
    private const int Gigabyte = 1 << 30;

    [NeedsFact(LibLz4, LibZstd, LibSnappy)]
    public void Damaged_blocks_decode_within_the_bound_or_are_refused()
    {
        const int MaxBytes = 64 << 10;
        var seed = Number("BENCH_SEED") ?? 20_251;
        var rounds = Number("BENCH_SOAK_MUTATIONS") ?? 20_000;
        var random = new Random((int)(seed ^ (seed >> 32)));
        List<(Compression Codec, byte[] Block)> blocks = [.. Golden.Batches("codecs-0").Select(batch => (Golden.Codec(batch), Golden.Compressed(batch)))];
        foreach (var codec in All)
            blocks.AddRange([(codec, Compress(codec, Bytes(3000, compressible: true))), (codec, Compress(codec, Bytes(40_000, compressible: true)))]);

        long refused = 0, decoded = 0;
        for (long round = 0; round < rounds; round++)
        {
            var (codec, block) = blocks[random.Next(blocks.Count)];
            var damaged = Damage(block, blocks[random.Next(blocks.Count)].Block, random);
            using var buffer = new RecordBuffer();
            try
            {
                Assert.Equal(RecordCompression.Decompress(codec, damaged, buffer, MaxBytes), buffer.WrittenBytes);
                decoded++;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
            catch (Exception other)
            {
                throw new InvalidOperationException($"BENCH_SEED={seed}, round {round}: {codec} {Convert.ToHexString(damaged)}", other);
            }
            Assert.InRange(buffer.WrittenBytes, 0, MaxBytes);
            Assert.InRange(buffer.CapacityBytes, 0, 2 * MaxBytes);
        }
        // Neither all nor none: else the damage is of one kind only.
        Assert.True(refused >= rounds / 20 && decoded >= rounds / 20, $"{refused} refused, {decoded} decoded");
    }

    private static long? Number(string variable) => Environment.GetEnvironmentVariable(variable) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    [NeedsTheory(LibLz4, LibZstd, LibSnappy)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void A_gigabyte_of_zeros_in_64_streams_stops_at_the_bound(Compression codec)
    {
        var part = Compress(codec, new byte[Gigabyte / 64]);
        Stops(codec, [.. Enumerable.Repeat(part, 64).SelectMany(bytes => bytes)]);
    }

    /// <summary>8192 blocks of "128 KiB of zeros", four bytes each, in a frame that does not state its size.</summary>
    [NeedsFact(LibZstd)]
    public void A_gigabyte_of_zeros_in_one_zstd_frame_of_32_KiB_stops_at_the_bound() =>
        Stops(Compression.Zstd, [0x28, 0xB5, 0x2F, 0xFD, 0, 11 << 3,
            .. Enumerable.Range(0, 8192).SelectMany(i => (byte[])[(byte)(i == 8191 ? 3 : 2), 0, 0x10, 0])]);

    [Fact]
    public void A_gigabyte_of_zeros_in_one_gzip_member_stops_at_the_bound()
    {
        using var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.Fastest))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < Gigabyte >> 20; i++)
                gzip.Write(zeros);
        }
        Stops(Compression.Gzip, bomb.ToArray());
    }

    [NeedsFact(LibSnappy)]
    public void A_snappy_block_that_states_more_than_it_can_hold_takes_no_memory()
    {
        // A length of 2³²−1, and one below the bound; then a literal of one byte.
        byte[][] blocks = [[0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 7], [0x80, 0x80, 0x40, 0, 7], [0x80], []];
        foreach (var block in blocks)
        {
            byte[] framed = [0x82, .. "SNAPPY"u8, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, (byte)block.Length, .. block];
            foreach (var data in (byte[][])[block, framed])
            {
                using var buffer = new RecordBuffer();
                Assert.Throws<InvalidDataException>(() => RecordCompression.Decompress(Compression.Snappy, data, buffer, Gigabyte));
                Assert.Equal(0, buffer.CapacityBytes);
            }
        }
    }

    [NeedsTheory(LibSnappy)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    [InlineData(0)]
    public void A_snappy_chunk_of_an_impossible_length_is_refused(int lengthBytes)
    {
        byte[] data = [0x82, .. "SNAPPY"u8, 0, 0, 0, 0, 1, 0, 0, 0, 1,
            (byte)(lengthBytes >> 24), (byte)(lengthBytes >> 16), (byte)(lengthBytes >> 8), (byte)lengthBytes, 1, 0, 7];
        Assert.Throws<InvalidDataException>(() => Decompress(Compression.Snappy, data));
    }

    /// <summary>A frame of one stored byte with content sizes of 8 bytes; the true one is taken.</summary>
    [NeedsTheory(LibZstd)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(1 << 20, false)]
    [InlineData(long.MaxValue, false)]
    [InlineData(-1, false)]
    public void A_zstd_frame_that_states_more_than_its_blocks_hold_takes_no_memory(long contentBytes, bool isTaken)
    {
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, .. BitConverter.GetBytes(contentBytes), 1 << 3 | 1, 0, 0, 7];
        using var buffer = new RecordBuffer();
        if (isTaken)
            Assert.Equal(1, RecordCompression.Decompress(Compression.Zstd, frame, buffer, Gigabyte));
        else
            Assert.Throws<InvalidDataException>(() => RecordCompression.Decompress(Compression.Zstd, frame, buffer, Gigabyte));
        Assert.InRange(buffer.CapacityBytes, 0, 4096);
    }

    [NeedsFact(LibZstd)]
    public void A_zstd_frame_that_asks_for_a_dictionary_is_refused()
    {
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0x23, 1, 2, 3, 4, 1, 1 << 3 | 1, 0, 0, 7];
        Assert.Throws<InvalidDataException>(() => Decompress(Compression.Zstd, frame));
    }

    [Fact]
    public void The_buffer_refuses_to_be_told_of_more_than_it_gave()
    {
        using var buffer = new RecordBuffer();
        var roomBytes = buffer.GetSpan(10).Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(roomBytes + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(-1));
        buffer.Advance(roomBytes);
        Assert.Equal(roomBytes, buffer.WrittenBytes);
    }

    private static void Stops(Compression codec, byte[] bomb)
    {
        const int MaxBytes = 1 << 20;
        using var buffer = new RecordBuffer();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(() => RecordCompression.Decompress(codec, bomb, buffer, MaxBytes));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains($"decompress to more than {MaxBytes}", error.Message, StringComparison.Ordinal);
        Assert.InRange(buffer.CapacityBytes, 0, 2 * MaxBytes);
        // The copy of the input that gzip needs, the buffer with its smaller predecessors, the exception.
        Assert.InRange(allocated, 0, 2 * bomb.Length + 4 * MaxBytes);
    }

    private static byte[] Damage(byte[] block, byte[] other, Random random)
    {
        List<byte> bytes = [.. block];
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            var count = random.Next(1, Math.Min(bytes.Count - at, 40) + 1);
            switch (random.Next(8))
            {
                case 0 or 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    // Lengths live at the beginning.
                    bytes[random.Next(Math.Min(bytes.Count, 32))] = random.Next(2) == 0 ? (byte)0xFF : (byte)0;
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    bytes.RemoveRange(at, count);
                    break;
                case 6:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                default:
                    bytes.InsertRange(at, other.Take(count));
                    break;
            }
        }
        return [.. bytes];
    }
}
