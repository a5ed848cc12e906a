namespace StacyVM.Engine.Configuration;

/// <summary>Finds what a user probably meant.</summary>
internal static class NearestName
{
    /// <summary>The candidate that is the fewest edits away from <paramref name="name"/>; null when none is near.</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        int limit = Math.Clamp(name.Length / 4, 1, 4);
        (string? nearest, int best) = (null, limit + 1);
        foreach (string candidate in candidates)
        {
            // A section that was left out ("docker.runtime") is nearer than any spelling.
            int distance = candidate.EndsWith("." + name, StringComparison.Ordinal) ? 0 : Edits(name, candidate);
            if (distance < best)
                (nearest, best) = (candidate, distance);
        }
        return nearest;
    }

    private static int Edits(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
