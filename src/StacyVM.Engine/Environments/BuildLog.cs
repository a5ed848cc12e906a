using System.Text;

namespace StacyVM.Engine.Environments;

/// <summary>The lines of one build: its beginning and its end, which says how it went; of a very long log the middle is left out. Safe for many threads.</summary>
internal sealed class BuildLog
{
    private const int MaxHead = 64 * 1024;
    private const int MaxTail = 192 * 1024;
    private const int MaxLine = 4 * 1024;

    private readonly Lock _lock = new();
    private readonly StringBuilder _head = new();
    private readonly Queue<string> _tail = new();
    private int _tailLength;
    private int _leftOut;
    private bool _headIsFull;

    /// <summary>Counts up with every line.</summary>
    public long Lines { get; private set; }

    public void Add(string text)
    {
        string line = Clean(text);
        lock (_lock)
        {
            Lines++;
            _headIsFull |= _head.Length + line.Length + 1 > MaxHead;
            if (!_headIsFull)
            {
                _head.Append(line).Append('\n');
                return;
            }
            _tail.Enqueue(line);
            _tailLength += line.Length + 1;
            while (_tailLength > MaxTail)
            {
                _tailLength -= _tail.Dequeue().Length + 1;
                _leftOut++;
            }
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            var text = new StringBuilder(_head.ToString());
            if (_leftOut > 0)
                text.Append($"… {_leftOut} lines are left out …\n");
            foreach (string line in _tail)
                text.Append(line).Append('\n');
            return text.ToString();
        }
    }

    /// <summary>What packages print may be meant for a terminal; here it is text.</summary>
    private static string Clean(string line)
    {
        string start = line.Length > MaxLine ? line[..MaxLine] + "…" : line;
        return string.Create(start.Length, start, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) && source[i] != '\t' ? ' ' : source[i];
        });
    }
}
