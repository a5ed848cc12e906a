using System.Text;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Files;

/// <summary>Names for files in the making: hidden, in the same directory, so that a rename can put them in place.</summary>
internal static class TemporaryName
{
    private static long _last = Clock.Microseconds;

    internal static LinuxPath Beside(LinuxPath target)
    {
        long number = Interlocked.Increment(ref _last);
        return target.Parent.Append(Encoding.UTF8.GetBytes(".stacyvm-" + number.ToString("x") + ".tmp"));
    }
}
