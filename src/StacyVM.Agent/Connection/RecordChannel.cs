using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>A channel whose records are all known when it opens; it sends them as credit allows, whole records a frame.</summary>
internal sealed unsafe class RecordChannel(AgentConnection connection, uint number, IEnumerable<Action<RecordWriter>> records)
    : Channel(connection, number)
{
    private readonly IEnumerator<Action<RecordWriter>> _records = records.GetEnumerator();
    private readonly RecordWriter _record = new();

    internal override void OnOpened() => OnWritable();

    internal override void OnWritable()
    {
        while (!IsClosed)
        {
            if (_record.Length == 0)
            {
                if (!_records.MoveNext())
                {
                    Close(AgentStatus.Ok);
                    return;
                }
                _records.Current(_record);
            }
            if (_record.Length > SendCredit)
                return;
            SendCredit -= _record.Length;
            Connection.Outbox.Frame(Number, FrameType.Data, DataStream.Output, _record.Written);
            _record.Clear();
        }
    }

    internal override void OnCancel() => Close(AgentStatus.Cancelled);

    internal override void OnLost() => _records.Dispose();
}
