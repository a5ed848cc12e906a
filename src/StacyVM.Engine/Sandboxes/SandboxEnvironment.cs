using System.Text.Json;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Variables that every command of a sandbox gets. They can hold secrets, so the record carries them sealed; opened once, they stay in memory with it.
/// </summary>
internal sealed class SandboxEnvironment
{
    private volatile IReadOnlyDictionary<string, string>? _opened;

    /// <param name="sealedText">As it was stored.</param>
    public SandboxEnvironment(string sealedText) => Sealed = sealedText;

    /// <summary>For the store.</summary>
    public string Sealed { get; }

    /// <summary>Of a sandbox that is made now; null for no variables.</summary>
    public static SandboxEnvironment? Of(string id, IReadOnlyDictionary<string, string> variables, SecretBox box) => variables.Count == 0
        ? null
        : new SandboxEnvironment(box.Seal(JsonSerializer.Serialize(new Dictionary<string, string>(variables), RestJson.Default.DictionaryStringString), PlaceOf(id)))
        {
            _opened = variables,
        };

    /// <summary>The variables with those of one command, which win.</summary>
    /// <exception cref="Protocol.Problems.StacyVMException">Unavailable when the key does not open them: a command without them would not be the one that was asked for.</exception>
    public IReadOnlyDictionary<string, string> With(IReadOnlyDictionary<string, string> own, string id, SecretBox box)
    {
        IReadOnlyDictionary<string, string> all = _opened ??= JsonSerializer.Deserialize(box.Unseal(Sealed, PlaceOf(id)), RestJson.Default.DictionaryStringString) ?? [];
        if (own.Count == 0)
            return all;
        var merged = new Dictionary<string, string>(all);
        foreach ((string name, string value) in own)
            merged[name] = value;
        return merged;
    }

    /// <summary>The same variables for another that begins with the state of this one.</summary>
    /// <exception cref="Protocol.Problems.StacyVMException">Unavailable when the key does not open them.</exception>
    public SandboxEnvironment? For(string other, string id, SecretBox box) => Of(other, With(new Dictionary<string, string>(), id, box), box);

    private static string PlaceOf(string id) => $"sandbox/{id}/environment";
}
