namespace StacyVM.Sdk;

/// <summary>
/// The server was silent for longer than <see cref="StacyClientOptions.ConnectTimeout"/>, <see cref="StacyClientOptions.ResponseTimeout"/> or
/// <see cref="StacyClientOptions.IdleTimeout"/> allows. A command that ran out of time is a <see cref="ServerException"/> instead.
/// </summary>
public sealed class ServerTimeoutException(string message, Exception? inner = null) : ConnectionException(message, inner);
