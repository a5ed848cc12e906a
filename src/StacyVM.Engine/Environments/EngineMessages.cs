using System.Text;
using Docker.DotNet.Models;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Environments;

/// <summary>The stream of messages of a build or push, as lines. What fails half-way answers 200 and says so in its last message.</summary>
/// <param name="line">Gets the lines.</param>
/// <param name="hide">Makes a message fit to be shown.</param>
internal sealed class EngineMessages(Action<string> line, Func<string, string>? hide = null) : IProgress<JSONMessage>
{
    private const int MaxPending = 64 * 1024;

    private readonly StringBuilder _pending = new();
    private string? _failure;

    public void Report(JSONMessage value)
    {
        if (!string.IsNullOrEmpty(value.Error?.Message))
        {
            _failure = value.Error.Message.Trim();
            return;
        }
        if (!string.IsNullOrEmpty(value.Stream))
            Add(value.Stream);
        else if (!string.IsNullOrEmpty(value.Status) && IsNews(value.Status))
            line(string.IsNullOrEmpty(value.ID) ? value.Status : $"{value.ID}: {value.Status}");
    }

    /// <summary>At the end of the stream.</summary>
    /// <exception cref="StacyVMException">It said that it failed.</exception>
    public void ThrowOnFailure()
    {
        Flush();
        if (_failure is not null)
            throw new StacyVMException(ProblemKind.Unavailable, $"the Docker engine says: {(hide is null ? _failure : hide(_failure))}");
    }

    /// <summary>The ticks of a transfer say nothing new.</summary>
    private static bool IsNews(string status) => status is not
        ("Downloading" or "Extracting" or "Pushing" or "Waiting" or "Preparing" or "Verifying Checksum" or "Download complete" or "Pulling fs layer");

    /// <summary>Output comes in pieces that end anywhere.</summary>
    private void Add(string text)
    {
        foreach (char c in text)
        {
            if (c == '\n')
                Flush();
            else if (c != '\r' && _pending.Length < MaxPending)
                _pending.Append(c);
        }
    }

    private void Flush()
    {
        if (_pending.Length > 0)
            line(_pending.ToString());
        _pending.Clear();
    }
}
