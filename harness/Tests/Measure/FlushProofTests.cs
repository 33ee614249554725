using Bench.Measure.Durability;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public class FlushProofTests
{
    private static readonly Guid Run = new("8d1c1c9e-6f0b-4d0a-9a57-9d0a6d7f4f11");

    [Fact]
    public void A_block_says_its_number_and_a_torn_or_strange_one_none()
    {
        var block = new byte[FlushProof.BlockBytes];
        FlushProof.Fill(block, Run, 12345);
        Assert.Equal(12345, FlushProof.NumberOf(block, Run));
        Assert.Null(FlushProof.NumberOf(block, Guid.NewGuid()));
        Assert.Null(FlushProof.NumberOf(new byte[FlushProof.BlockBytes], Run));
        foreach (var at in new[] { 0, 9, 20, 100, FlushProof.BlockBytes - 1 })
        {
            var torn = (byte[])block.Clone();
            torn[at] ^= 1;
            Assert.NotEqual(12345, FlushProof.NumberOf(torn, Run));
        }
    }

    [Fact]
    public void Nothing_is_lost_that_is_there_or_was_overwritten_by_a_later_one()
    {
        const long written = FlushProof.RingBlocks + 100;
        var file = FileOf(written);
        Assert.Empty(FlushProof.Lost(file, Run, written - 1));
        // The last block was not acknowledged and is there.
        Assert.Empty(FlushProof.Lost(file, Run, written - 2));
    }

    [Fact]
    public void What_was_acknowledged_and_is_old_missing_or_beyond_the_end_is_lost()
    {
        var file = FileOf(FlushProof.RingBlocks + 100);
        // Acknowledged once more round, and not there: the blocks of the round before lie in their places.
        Assert.Equal([FlushProof.RingBlocks + 100L, FlushProof.RingBlocks + 101L], FlushProof.Lost(file, Run, FlushProof.RingBlocks + 101));
        Assert.Equal([8, 9], FlushProof.Lost(FileOf(8), Run, 9));
        Assert.Equal(10, FlushProof.Lost([], Run, 9).Count);
        var small = FileOf(10);
        small.AsSpan(3 * FlushProof.BlockBytes, FlushProof.BlockBytes).Clear();
        Assert.Equal([3], FlushProof.Lost(small, Run, 9));
    }

    private static byte[] FileOf(long blocks)
    {
        var file = new byte[Math.Min(blocks, FlushProof.RingBlocks) * FlushProof.BlockBytes];
        for (long number = 0; number < blocks; number++)
            FlushProof.Fill(file.AsSpan((int)FlushProof.PositionOf(number), FlushProof.BlockBytes), Run, number);
        return file;
    }
}
