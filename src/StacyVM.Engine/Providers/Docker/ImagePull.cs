using Docker.DotNet.Models;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// One pull that any number of creates wait for. It goes on while one of them still waits, and is abandoned with the last.
/// </summary>
internal sealed class ImagePull
{
    private readonly Lock _lock = new();
    private readonly List<IProgress<string>> _listeners = [];
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Dictionary<string, string> _layers = [];
    private readonly string _image;
    private readonly Task _work;
    private int _waiting;
    private bool _over;

    /// <param name="image">What is pulled, for the sentences.</param>
    /// <param name="pull">Does it; reports the daemon's messages.</param>
    /// <param name="ended">Called once, before anyone who waits goes on.</param>
    public ImagePull(string image, Func<IProgress<JSONMessage>, CancellationToken, Task> pull, Action<ImagePull> ended)
    {
        _image = image;
        _work = RunAsync(pull, ended);
    }

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
    public async Task WaitAsync(IProgress<string>? progress, CancellationToken cancellation)
    {
        try
        {
            await _work.WaitAsync(cancellation).ConfigureAwait(false);
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

    private async Task RunAsync(Func<IProgress<JSONMessage>, CancellationToken, Task> pull, Action<ImagePull> ended)
    {
        // The constructor must return first: a pull that fails at once would end before it is known.
        await Task.Yield();
        try
        {
            await pull(new Messages(this), _abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                _over = true;
            ended(this);
        }
    }

    private void Report(JSONMessage message)
    {
        if (Sentence(message) is not { } sentence)
            return;
        IProgress<string>[] listeners;
        lock (_lock)
            listeners = [.. _listeners];
        foreach (IProgress<string> listener in listeners)
            listener.Report(sentence);
    }

    /// <summary>A sentence per step of a layer; the ticks of a download say nothing new.</summary>
    private string? Sentence(JSONMessage message)
    {
        if (string.IsNullOrEmpty(message.Status))
            return null;
        if (string.IsNullOrEmpty(message.ID))
            return $"pulling {_image}: {message.Status}";
        lock (_layers)
        {
            if (_layers.TryGetValue(message.ID, out string? last) && last == message.Status)
                return null;
            _layers[message.ID] = message.Status;
            int done = _layers.Values.Count(status => status is "Pull complete" or "Already exists");
            return message.Status is "Pull complete" or "Already exists"
                ? $"pulling {_image}: layer {message.ID} ready ({done} of {_layers.Count})"
                : null;
        }
    }

    /// <summary>In the order of arrival and on the reading thread, which <see cref="Progress{T}"/> does not promise.</summary>
    private sealed class Messages(ImagePull pull) : IProgress<JSONMessage>
    {
        public void Report(JSONMessage value) => pull.Report(value);
    }
}
