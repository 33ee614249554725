using System.Runtime.InteropServices;
using Bench.Disk;
using Xunit;

namespace Bench.Harness.Tests.Disk;

public sealed unsafe class FullTransferTests
{
    private const int EINTR = 4;
    private const int EIO = 5;

    /// <summary>Plays results from a script: bytes done, 0 for the end of the file, or a negative errno.</summary>
    private struct ScriptedCall(byte[] file, params int[] script) : IPositionedCall
    {
        public int Calls { get; private set; }

        public nint Invoke(byte* buffer, nint lengthBytes, long position)
        {
            var planned = script[Calls++];
            if (planned <= 0)
                return planned;
            var done = (int)Math.Min(Math.Min(planned, lengthBytes), file.Length - position);
            Marshal.Copy(file, (int)position, (nint)buffer, done);
            return done;
        }
    }

    private static (nint Result, byte[] Buffer, int Calls) Run(int lengthBytes, params int[] script)
    {
        var call = new ScriptedCall(DataFolder.Bytes(100), script);
        var buffer = new byte[lengthBytes];
        fixed (byte* pointer = buffer)
            return (FullTransfer.Run(ref call, pointer, lengthBytes, 10), buffer, call.Calls);
    }

    [Fact]
    public void AWholeResultTakesOneCall()
    {
        var (result, buffer, calls) = Run(50, 50);
        Assert.Equal(50, result);
        Assert.Equal(1, calls);
        Assert.Equal(DataFolder.Bytes(100)[10..60], buffer);
    }

    [Fact]
    public void ShortResultsAreContinuedWhereTheyEnded()
    {
        var (result, buffer, calls) = Run(50, 1, 20, 3, 26);
        Assert.Equal(50, result);
        Assert.Equal(4, calls);
        Assert.Equal(DataFolder.Bytes(100)[10..60], buffer);
    }

    [Fact]
    public void AnInterruptedCallIsRepeatedFirstAndInTheMiddle()
    {
        var (result, buffer, calls) = Run(50, -EINTR, -EINTR, 30, -EINTR, 20);
        Assert.Equal(50, result);
        Assert.Equal(5, calls);
        Assert.Equal(DataFolder.Bytes(100)[10..60], buffer);
    }

    [Fact]
    public void TheEndOfTheFileGivesWhatWasReadBefore()
    {
        var (result, buffer, _) = Run(95, 60, 30, 0);
        Assert.Equal(90, result);
        Assert.Equal(DataFolder.Bytes(100)[10..], buffer[..90]);
        Assert.Equal(0, Run(95, 0).Result);
    }

    [Fact]
    public void AnErrorIsReturnedEvenAfterAShortResult()
    {
        Assert.Equal(-EIO, Run(50, -EIO).Result);
        Assert.Equal(-EIO, Run(50, 20, -EINTR, -EIO).Result);
    }
}
