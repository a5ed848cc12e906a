namespace StacyVM.Engine.Checks;

/// <summary>One row of the table of checks of a configuration.</summary>
/// <param name="Name">Of the check.</param>
/// <param name="Keys">The keys it reads. One that this version does not use makes the whole rule one that cannot hold.</param>
/// <param name="Judge">What it finds; null when there is nothing to say.</param>
internal sealed record LintRule(string Name, string[] Keys, Func<ConfiguredValues, Finding?> Judge)
{
    /// <summary>Asked only when this holds: the group it belongs to is switched on.</summary>
    public Func<ConfiguredValues, bool>? When { get; init; }

    /// <summary>Says nothing of a key that is not in this version unless somebody has set it.</summary>
    public bool OnlyWhenSet { get; init; }

    public Finding? Run(ConfiguredValues values)
    {
        string[] unused = [.. Keys.Where(key => !ConfiguredValues.IsUsed(key))];
        if (unused.Length > 0)
        {
            string[] set = [.. unused.Where(values.IsSet)];
            if (set.Length > 0)
                return Finding.Warn($"{string.Join(", ", set)}: set, and not in this version: it has no effect", "remove it, and do not rely on it");
            return OnlyWhenSet || When is not null ? null : Finding.Warn("not checked: this version does not have it", "do not rely on it");
        }
        return When is null || When(values) ? Judge(values) : null;
    }
}
