using System.Buffers;
using System.Text;
using StacyVM.Cli.Output;

namespace StacyVM.Cli.Serve.Logging;

/// <summary>An entry for people: <c>12:00:01 info   sandbox.created  the sentence</c>.</summary>
internal static class PrettyLine
{
    public static void Write(in LogEntry entry, IBufferWriter<byte> line)
    {
        string name = entry.Event.Length > 0 ? entry.Event + "  " : "";
        // A sentence may carry what a request or a sandbox said.
        string text = TextTable.Visible(entry.Message);
        string fault = entry.Fault is null ? "" : "\n" + entry.Fault;
        Encoding.UTF8.GetBytes($"{Printer.Clock(entry.Time)} {entry.LevelName,-5}  {name}{text}{fault}\n", line);
    }
}
