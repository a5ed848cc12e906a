using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>
/// One component of a pattern, matched on bytes: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[!a]</c>, and a backslash before what shall be
/// itself. A leading dot must be written.
/// </summary>
internal sealed class GlobPattern
{
    private readonly byte[] _pattern;

    internal GlobPattern(ReadOnlySpan<byte> component)
    {
        _pattern = component.ToArray();
        IsRecursive = component.SequenceEqual("**"u8);
        IsLiteral = component.IndexOfAny("*?[\\"u8) < 0;
        Check();
    }

    /// <summary>Any number of directories, none included.</summary>
    internal bool IsRecursive { get; }

    /// <summary>A plain name: looked up, not searched for.</summary>
    internal bool IsLiteral { get; }

    internal ReadOnlySpan<byte> Text => _pattern;

    internal bool Matches(ReadOnlySpan<byte> name) =>
        !(name is [(byte)'.', ..] && _pattern is not ([(byte)'.', ..] or [(byte)'\\', (byte)'.', ..])) && Match(_pattern, name);

    private static bool Match(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        // On a mismatch only the last star is tried again, one byte longer: linear in memory, never exponential in time.
        int p = 0, n = 0, starPattern = -1, starName = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (starPattern, starName) = (++p, n);
                continue;
            }
            if (p < pattern.Length && MatchOne(pattern, ref p, name, ref n))
                continue;
            if (starPattern < 0)
                return false;
            (p, n) = (starPattern, ++starName);
        }
        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }

    private static bool MatchOne(ReadOnlySpan<byte> pattern, ref int p, ReadOnlySpan<byte> name, ref int n)
    {
        switch (pattern[p])
        {
            case (byte)'?':
                p++;
                n += CharacterLength(name[n..]);
                return true;
            case (byte)'[':
                int end = SetEnd(pattern, p);
                if (!SetContains(pattern[(p + 1)..end], name[n]))
                    return false;
                p = end + 1;
                n++;
                return true;
            case (byte)'\\' when p + 1 < pattern.Length:
                if (pattern[p + 1] != name[n])
                    return false;
                p += 2;
                n++;
                return true;
            default:
                if (pattern[p] != name[n])
                    return false;
                p++;
                n++;
                return true;
        }
    }

    private static bool SetContains(ReadOnlySpan<byte> set, byte value)
    {
        bool negated = set is [(byte)'!' or (byte)'^', ..];
        if (negated)
            set = set[1..];
        bool found = false;
        for (int i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                found |= value >= set[i] && value <= set[i + 2];
                i += 2;
            }
            else
            {
                found |= value == set[i];
            }
        }
        return found != negated;
    }

    /// <summary>A question mark is one character, not one byte of it.</summary>
    private static int CharacterLength(ReadOnlySpan<byte> text)
    {
        int length = 1;
        if (text[0] >= 0xC0)
            while (length < text.Length && length < 4 && (text[length] & 0xC0) == 0x80)
                length++;
        return length;
    }

    /// <summary>Where the set that starts at <paramref name="start"/> is closed; a bracket right behind its beginning belongs to it.</summary>
    private static int SetEnd(ReadOnlySpan<byte> pattern, int start)
    {
        int at = start + 1;
        if (at < pattern.Length && pattern[at] is (byte)'!' or (byte)'^')
            at++;
        if (at < pattern.Length && pattern[at] == ']')
            at++;
        while (at < pattern.Length && pattern[at] != ']')
            at++;
        return at < pattern.Length ? at : -1;
    }

    private void Check()
    {
        for (int i = 0; i < _pattern.Length; i++)
        {
            if (_pattern[i] == '\\')
                i++;
            else if (_pattern[i] == '[')
                i = SetEnd(_pattern, i) is int end and >= 0
                    ? end
                    : throw new OperationFailure(AgentStatus.InvalidArgument, "the pattern has a [ that is never closed");
        }
    }
}
