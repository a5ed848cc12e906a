using Xunit;

namespace StacyVM.Tests.Agent;

/// <summary>For what happens outside of every protocol: looks again until it is true.</summary>
internal static class Eventually
{
    internal static void True(Func<bool> condition, string what = "the condition")
    {
        long deadline = Environment.TickCount64 + (long)AgentProgram.Patience.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > deadline)
                Assert.Fail(what + " did not become true");
            Thread.Yield();
            Thread.Sleep(2);
        }
    }
}
