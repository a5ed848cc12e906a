using Docker.DotNet.Models;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Turns a daemon's messages into a sentence per step of a layer; the ticks of a download say nothing new.</summary>
internal sealed class PullSentences(string image, IProgress<string> progress) : IProgress<JSONMessage>
{
    private readonly Dictionary<string, string> _layers = [];

    /// <summary>In the order of arrival and on the reading thread, which <see cref="Progress{T}"/> does not promise.</summary>
    public void Report(JSONMessage value)
    {
        if (Sentence(value) is { } sentence)
            progress.Report(sentence);
    }

    private string? Sentence(JSONMessage message)
    {
        if (string.IsNullOrEmpty(message.Status))
            return null;
        if (string.IsNullOrEmpty(message.ID))
            return $"pulling {image}: {message.Status}";
        lock (_layers)
        {
            if (_layers.TryGetValue(message.ID, out string? last) && last == message.Status)
                return null;
            _layers[message.ID] = message.Status;
            int done = _layers.Values.Count(status => status is "Pull complete" or "Already exists");
            return message.Status is "Pull complete" or "Already exists"
                ? $"pulling {image}: layer {message.ID} ready ({done} of {_layers.Count})"
                : null;
        }
    }
}
