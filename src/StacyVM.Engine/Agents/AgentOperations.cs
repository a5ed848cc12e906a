using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>Reads one record.</summary>
internal delegate T RecordDecoder<T>(ref RecordReader reader);

/// <summary>The shapes that operations on one sandbox's agent have: a request with one answer, and a request with a list.</summary>
internal sealed class AgentOperations(string sandboxId, IAgentLink link)
{
    private const long ListBound = 64L * 1024 * 1024;

    public string SandboxId => sandboxId;

    public ValueTask<AgentConnection> ConnectionAsync(CancellationToken cancellation) => link.GetAsync(cancellation);

    /// <summary>Waits for the end of an operation without data.</summary>
    /// <returns>The body of its last frame.</returns>
    public async Task<byte[]> FinishAsync(AgentChannel channel, string subject, CancellationToken cancellation)
    {
        try
        {
            return await channel.BodyAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AgentRefusal or ProtocolViolationException)
        {
            throw Translate(e, subject);
        }
        finally
        {
            channel.Drop();
        }
    }

    /// <summary>Collects records; each Data frame holds whole ones.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(AgentChannel channel, string subject, RecordDecoder<T> decode, CancellationToken cancellation)
    {
        try
        {
            var entries = new List<T>();
            long bytes = 0;
            while (await channel.ReadAsync(cancellation).ConfigureAwait(false) is { } piece)
            {
                bytes += piece.Data.Length;
                if (bytes > ListBound)
                    throw new StacyVMException(ProblemKind.ResourceLimit, $"sandbox {sandboxId}: {subject}: the list is larger than {ListBound >> 20} MiB");
                // A channel's pieces are made of whole frames, and a frame of whole records.
                DecodeAll(piece.Data.Span, decode, entries);
            }
            await channel.BodyAsync(cancellation).ConfigureAwait(false);
            return entries;
        }
        catch (Exception e) when (e is AgentRefusal or ProtocolViolationException)
        {
            throw Translate(e, subject);
        }
        finally
        {
            channel.Drop();
        }
    }

    /// <summary>Decodes the body of a last frame.</summary>
    public T Decode<T>(byte[] body, RecordDecoder<T> decode)
    {
        try
        {
            var reader = new RecordReader(body);
            return decode(ref reader);
        }
        catch (ProtocolViolationException e)
        {
            throw Translate(e, "answer");
        }
    }

    public StacyVMException Translate(Exception failure, string subject) => failure is AgentRefusal refusal
        ? refusal.ToProblem(sandboxId, subject)
        : new StacyVMException(ProblemKind.SandboxGone, $"sandbox {sandboxId}: its agent gave an answer that makes no sense: {failure.Message}", failure);

    private static void DecodeAll<T>(ReadOnlySpan<byte> bytes, RecordDecoder<T> decode, List<T> entries)
    {
        var reader = new RecordReader(bytes);
        while (!reader.AtEnd)
            entries.Add(decode(ref reader));
    }
}
