namespace StacyVM.Server.Streaming;

/// <summary>Keeps a silent stream alive: proxies and clients cut connections on which nothing comes.</summary>
internal static class Silence
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    /// <summary>Waits for something that its own token ends; every 15 seconds without it, beats.</summary>
    public static async Task<T> AwaitAsync<T>(Task<T> pending, Func<ValueTask> beat, TimeProvider time)
    {
        while (!pending.IsCompleted)
        {
            try
            {
                return await pending.WaitAsync(Longest, time);
            }
            catch (TimeoutException) when (!pending.IsCompleted)
            {
                await beat();
            }
        }
        return await pending;
    }
}
