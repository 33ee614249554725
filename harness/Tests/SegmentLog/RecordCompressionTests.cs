using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Bench.Disk.Compression;
using Bench.Disk.Native;
using Bench.SegmentLog.Format;
using Bench.TestSupport;
using Xunit;
using static Bench.Harness.Tests.SegmentLog.Codecs;

namespace Bench.Harness.Tests.SegmentLog;

public class RecordCompressionTests
{
    private static readonly int[] Sizes = [0, 1, 100, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 1 << 20];

    [NeedsTheory(LibLz4, LibZstd, LibSnappy)]
    [InlineData(Compression.None)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void What_was_compressed_comes_back_and_its_exact_size_is_room_enough(Compression codec)
    {
        foreach (var size in Sizes)
        {
            foreach (var compressible in (bool[])[true, false])
            {
                var records = Bytes(size, compressible);
                var compressed = Compress(codec, records);
                Assert.Equal(records, Decompress(codec, compressed, size));
                if (size > 0)
                    Assert.Throws<InvalidDataException>(() => Decompress(codec, compressed, size - 1));
                if (size > 100 && compressible && codec != Compression.None)
                    Assert.True(compressed.Length < size / 2, $"{codec} made {compressed.Length} bytes of {size}");
            }
        }
    }

    [NeedsTheory(LibLz4, LibZstd)]
    [InlineData(Compression.Gzip, 1)]
    [InlineData(Compression.Gzip, 9)]
    [InlineData(Compression.Lz4, 1)]
    [InlineData(Compression.Lz4, 17)]
    [InlineData(Compression.Zstd, -5)]
    [InlineData(Compression.Zstd, 1)]
    [InlineData(Compression.Zstd, 22)]
    public void Every_level_that_Kafka_has_can_be_read(Compression codec, int level)
    {
        var records = Bytes(100_000, compressible: true);
        Assert.Equal(records, Decompress(codec, Compress(codec, records, level)));
    }

    [NeedsFact(LibLz4, LibZstd, LibSnappy)]
    public void Every_compressed_batch_of_Kafka_decompresses_to_records_that_end_where_the_data_does()
    {
        var seen = new HashSet<Compression>();
        foreach (var batch in Golden.Batches("codecs-0"))
        {
            Assert.Equal(Golden.Crc(batch), Crc32C.Compute(batch.AsSpan(21)));
            seen.Add(Golden.Codec(batch));
            var records = Decompress(Golden.Codec(batch), Golden.Compressed(batch));
            var at = 0;
            for (var i = 0; i < Golden.RecordCount(batch); i++)
            {
                var lengthBytes = ZigZag(records, ref at);
                at += lengthBytes;
            }
            Assert.Equal(records.Length, at);
        }
        Assert.Equal(All, seen.Order());
    }

    [NeedsFact(LibLz4, LibZstd, LibSnappy)]
    public void Frames_look_as_those_of_Kafka()
    {
        foreach (var batch in Golden.Batches("codecs-0"))
        {
            var codec = Golden.Codec(batch);
            var theirs = Golden.Compressed(batch);
            var ours = Compress(codec, Decompress(codec, theirs));
            // Of gzip the magic and the method, then come flags that tell of the writer; of snappy and lz4 the whole
            // header; of zstd the magic, then comes the content size that Java leaves out.
            var sameBytes = codec switch { Compression.Gzip => 3, Compression.Snappy => 16, Compression.Lz4 => 7, _ => 4 };
            Assert.Equal(theirs[..sameBytes], ours[..sameBytes]);
            if (codec == Compression.Lz4)
                Assert.Equal(theirs[^4..], ours[^4..]);
        }
    }

    [NeedsFact(LibSnappy)]
    public void Snappy_is_cut_into_blocks_of_32_KiB()
    {
        var compressed = Compress(Compression.Snappy, Bytes(65_537, compressible: true));
        List<long> blocks = [];
        for (var at = 16; at < compressed.Length;)
        {
            var lengthBytes = BinaryPrimitives.ReadInt32BigEndian(compressed.AsSpan(at));
            blocks.Add(SnappyBlock.UncompressedBytes(compressed.AsSpan(at + 4, lengthBytes)));
            at += 4 + lengthBytes;
        }
        Assert.Equal([32_768, 32_768, 1], blocks);
    }

    [NeedsTheory(LibLz4, LibZstd, LibSnappy)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void Streams_one_after_another_are_read_as_one(Compression codec)
    {
        byte[] one = Bytes(40_000, compressible: true), two = Bytes(70_000, compressible: false), none = [];
        byte[] compressed = [.. Compress(codec, one), .. Compress(codec, none), .. Compress(codec, two)];
        Assert.Equal([.. one, .. two], Decompress(codec, compressed, one.Length + two.Length));
        Assert.Throws<InvalidDataException>(() => Decompress(codec, compressed, one.Length + two.Length - 1));
    }

    [NeedsTheory(LibLz4, LibZstd, LibSnappy)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    public void Bytes_after_the_end_that_Java_leaves_are_left(Compression codec)
    {
        var records = Bytes(1000, compressible: true);
        Assert.Equal(records, Decompress(codec, [.. Compress(codec, records), 1, 2, 3], records.Length));
    }

    [NeedsTheory(LibLz4, LibZstd)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void Data_cut_off_anywhere_is_refused(Compression codec)
    {
        foreach (var compressed in (byte[][])[Compress(codec, Bytes(2000, compressible: true)), Compress(codec, [])])
        {
            for (var length = 0; length < compressed.Length; length++)
            {
                var cut = length;
                Assert.Throws<InvalidDataException>(() => Decompress(codec, compressed.AsSpan(0, cut)));
            }
        }
    }

    /// <summary>It has no mark at its end: what is cut off at a chunk, or up to three bytes after it, is shorter data.</summary>
    [NeedsFact(LibSnappy)]
    public void Snappy_cut_off_within_a_chunk_is_refused()
    {
        var records = Bytes(40_000, compressible: true);
        var compressed = Compress(Compression.Snappy, records);
        var second = 16 + 4 + BinaryPrimitives.ReadInt32BigEndian(compressed.AsSpan(16));
        for (var length = 1; length < compressed.Length; length++)
        {
            var cut = length;
            if (length == 16 || length is > 16 and < 20)
                Assert.Empty(Decompress(Compression.Snappy, compressed.AsSpan(0, cut)));
            else if (length >= second && length < second + 4)
                Assert.Equal(records[..32_768], Decompress(Compression.Snappy, compressed.AsSpan(0, cut)));
            else
                Assert.Throws<InvalidDataException>(() => Decompress(Compression.Snappy, compressed.AsSpan(0, cut)));
        }
    }

    [NeedsFact(LibSnappy)]
    public void Snappy_without_framing_is_one_block()
    {
        var records = Bytes(100_000, compressible: true);
        var block = new byte[SnappyBlock.MaxCompressedBytes(records.Length)];
        Array.Resize(ref block, SnappyBlock.Compress(records, block));
        Assert.Equal(records, Decompress(Compression.Snappy, block, records.Length));
        Assert.Throws<InvalidDataException>(() => Decompress(Compression.Snappy, block, records.Length - 1));
    }

    [NeedsTheory(LibLz4)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(7, 0)]
    [InlineData(7, 1)]
    public unsafe void Lz4_of_any_block_size_with_content_size_and_checksums_is_read(int blockSize, int isIndependent)
    {
        var records = Bytes(3_000_000, compressible: true);
        var preferences = new Lz4.LZ4F_preferences_t
        {
            frameInfo = new()
            {
                blockSizeID = blockSize,
                blockMode = isIndependent,
                contentChecksumFlag = 1,
                blockChecksumFlag = 1,
                contentSize = (ulong)records.Length,
            },
        };
        var frame = new byte[Lz4Frame.MaxCompressedBytes(records.Length) + 4096];
        nuint length;
        fixed (byte* from = records, to = frame)
            length = Lz4.LZ4F_compressFrame(to, (nuint)frame.Length, from, (nuint)records.Length, &preferences);
        Array.Resize(ref frame, (int)length);
        Assert.Equal(records, Decompress(Compression.Lz4, frame, records.Length));

        frame[^1] ^= 1;
        Assert.Contains("damaged", Assert.Throws<InvalidDataException>(() => Decompress(Compression.Lz4, frame)).Message, StringComparison.Ordinal);
    }

    [NeedsTheory(LibLz4, LibZstd)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void Frames_to_be_skipped_are_skipped(Compression codec)
    {
        byte[] skipped = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 9, 9, 9];
        var records = Bytes(100, compressible: true);
        var compressed = Compress(codec, records);
        Assert.Equal(records, Decompress(codec, [.. skipped, .. compressed, .. skipped], 100));
        Assert.Empty(Decompress(codec, skipped));
    }

    /// <summary>128 MiB, which Java's writer asks for at level 22 however short the data is.</summary>
    [NeedsFact(LibZstd)]
    public void A_zstd_frame_with_a_large_window_and_little_in_it_takes_little_memory()
    {
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0, 17 << 3, 3 << 3 | 1, 0, 0, 7, 8, 9];
        using var buffer = new RecordBuffer();
        Assert.Equal(3, RecordCompression.Decompress(Compression.Zstd, frame, buffer, 64 << 20));
        Assert.Equal([7, 8, 9], buffer.WrittenSpan.ToArray());
        Assert.True(buffer.CapacityBytes <= 4096);
    }

    [NeedsTheory(LibLz4, LibZstd, LibSnappy)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zstd)]
    public void Nothing_and_noise_are_refused_in_a_sentence(Compression codec)
    {
        Assert.Throws<InvalidDataException>(() => Decompress(codec, []));
        var error = Assert.Throws<InvalidDataException>(() => Decompress(codec, Encoding.ASCII.GetBytes("these are no records of any codec")));
        Assert.NotEmpty(error.Message);
    }

    [Fact]
    public void A_codec_that_Kafka_does_not_have_is_refused()
    {
        Assert.Equal("Kafka has no codec 5", Assert.Throws<InvalidDataException>(() => Decompress((Compression)5, [1])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Compress((Compression)7, [1]));
    }

    [Fact]
    public void A_missing_library_is_named_with_its_codec_and_its_package()
    {
        var loaded = false;
        var error = Assert.Throws<CodecMissingException>(() =>
            CodecMissingException.ThrowIfMissing(ref loaded, "lz4", "libno-such-codec.so.1", "liblz4-1"));
        Assert.Equal("lz4 needs the library libno-such-codec.so.1, which this machine does not have; "
            + "on Debian and Ubuntu: apt-get install liblz4-1", error.Message);
    }

    /// <summary>Gzip by the framework and by Java differ in the header only.</summary>
    [Fact]
    public void Gzip_with_a_name_a_comment_and_a_header_checksum_is_read()
    {
        byte[] member = [0x1F, 0x8B, 8, 0b1_1110, 0, 0, 0, 0, 0, 3, 2, 0, 7, 7, (byte)'n', 0, (byte)'c', 0];
        ushort headerCrc = (ushort)Crc32(member);
        var records = Bytes(100, compressible: true);
        member = [.. member, (byte)headerCrc, (byte)(headerCrc >> 8), .. Compress(Compression.Gzip, records)[10..]];
        Assert.Equal(records, Decompress(Compression.Gzip, member));
    }

    private static int ZigZag(byte[] bytes, ref int at)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var one = bytes[at++];
            value |= (uint)(one & 0x7F) << shift;
            if (one < 0x80)
                return (int)(value >> 1) ^ -(int)(value & 1);
        }
    }

    private static uint Crc32(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(memory.ToArray().AsSpan()[^8..]);
    }
}
