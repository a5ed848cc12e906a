namespace StacyVM.Sdk;

/// <summary>A piece of output.</summary>
/// <param name="IsError">From stderr; a terminal has only stdout.</param>
/// <param name="Data">Bytes as the command wrote them.</param>
public readonly record struct SessionOutput(bool IsError, ReadOnlyMemory<byte> Data);
