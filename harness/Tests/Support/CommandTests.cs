using Bench.TestSupport;
using Xunit;

namespace Bench.Harness.Tests.Support;

public class CommandTests
{
    [Fact]
    public void Both_outputs_are_captured_whole()
    {
        var result = Command.Run("sh", "-c", "seq 100000; echo oops >&2");
        Assert.EndsWith("\n100000\n", result.StandardOutput, StringComparison.Ordinal);
        Assert.Equal("oops\n", result.StandardError);
    }

    [Fact]
    public void A_failing_program_throws_with_its_last_words()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Command.Run("sh", "-c", "echo no such luck >&2; exit 3"));
        Assert.Contains("ended with 3: no such luck", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_does_not_end_is_killed() =>
        Assert.Throws<TimeoutException>(() => Command.TryRun(TimeSpan.FromMilliseconds(200), "sleep", "60"));

    [Fact]
    public void A_program_ends_though_every_thread_of_the_pool_is_taken()
    {
        // More work than the pool makes threads for within the time-out, and none of it ends before the program.
        using var left = new CountdownEvent(1000);
        using var hasEnded = new ManualResetEventSlim();
        for (var i = left.InitialCount; i > 0; i--)
        {
            ThreadPool.QueueUserWorkItem(_ =>
            {
                hasEnded.Wait();
                left.Signal();
            });
        }
        try
        {
            Assert.Equal("here\n", Command.TryRun(TimeSpan.FromSeconds(10), "echo", "here").StandardOutput);
        }
        finally
        {
            hasEnded.Set();
            left.Wait();
        }
    }

    [Fact]
    public void A_missing_need_is_named_in_the_reason_for_skipping() =>
        Assert.Equal("needs no-such-program, /dev/no-such-device, libno-such.so.1, which is not here",
            new NeedsFactAttribute("sh", "no-such-program", "/dev/no-such-device", "libc.so.6", "libno-such.so.1").Skip);
}
