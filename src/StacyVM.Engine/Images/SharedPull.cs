namespace StacyVM.Engine.Images;

/// <summary>One pull that any number of callers wait for. It goes on while one of them still waits, and is abandoned with the last.</summary>
internal sealed class SharedPull<T>
{
    private readonly Lock _lock = new();
    private readonly List<IProgress<string>> _listeners = [];
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Task<T> _work;
    private int _waiting;
    private bool _over;

    /// <param name="pull">Does it.</param>
    /// <param name="ended">Called once, before anyone who waits goes on.</param>
    public SharedPull(Func<IProgress<string>, CancellationToken, Task<T>> pull, Action<SharedPull<T>> ended) => _work = RunAsync(pull, ended);

    /// <returns>False when it is over or abandoned: begin another.</returns>
    public bool TryJoin(IProgress<string>? progress)
    {
        lock (_lock)
        {
            if (_over || _abandoned.IsCancellationRequested)
                return false;
            _waiting++;
            if (progress is not null)
                _listeners.Add(progress);
            return true;
        }
    }

    /// <summary>Waits for the end; once for every successful <see cref="TryJoin"/>.</summary>
    public async Task<T> WaitAsync(IProgress<string>? progress, CancellationToken cancellation)
    {
        try
        {
            return await _work.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                if (progress is not null)
                    _listeners.Remove(progress);
                if (--_waiting == 0 && !_over)
                    _abandoned.Cancel();
            }
        }
    }

    private async Task<T> RunAsync(Func<IProgress<string>, CancellationToken, Task<T>> pull, Action<SharedPull<T>> ended)
    {
        // The constructor must return first: a pull that fails at once would end before it is known.
        await Task.Yield();
        try
        {
            return await pull(new Announcer(this), _abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                _over = true;
            ended(this);
        }
    }

    /// <summary>In the order of arrival and on the reporting thread, which <see cref="Progress{T}"/> does not promise.</summary>
    private sealed class Announcer(SharedPull<T> pull) : IProgress<string>
    {
        public void Report(string value)
        {
            IProgress<string>[] listeners;
            lock (pull._lock)
                listeners = [.. pull._listeners];
            foreach (IProgress<string> listener in listeners)
                listener.Report(value);
        }
    }
}
