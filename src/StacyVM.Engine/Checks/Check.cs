namespace StacyVM.Engine.Checks;

/// <summary>One line of <c>config lint</c> and <c>doctor</c>.</summary>
/// <param name="Name">Dotted: the key, or the part of the machine.</param>
/// <param name="Status">What was found.</param>
/// <param name="Message">What was found, in words. Never a secret.</param>
/// <param name="Remedy">What to do about it; empty where there is nothing to do.</param>
internal sealed record Check(string Name, CheckStatus Status, string Message, string Remedy = "");
