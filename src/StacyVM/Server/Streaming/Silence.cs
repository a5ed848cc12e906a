namespace StacyVM.Server.Streaming;

/// <summary>Keeps a silent stream alive: proxies and clients cut connections on which nothing comes.</summary>
internal static class Silence
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    /// <summary>Waits for something; every 15 seconds without it, beats.</summary>
    public static async ValueTask<T> AwaitAsync<T>(ValueTask<T> pending, Func<ValueTask> beat, TimeProvider time, CancellationToken cancellation)
    {
        if (pending.IsCompleted)
            return await pending;
        Task<T> task = pending.AsTask();
        while (true)
        {
            try
            {
                return await task.WaitAsync(Longest, time, cancellation);
            }
            catch (TimeoutException) when (!task.IsCompleted)
            {
                await beat();
            }
        }
    }
}
