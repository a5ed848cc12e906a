using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace StacyVM.Engine.Environments;

/// <summary>
/// The recipe that the engine gets. Every argument of a program stands in a JSON array of its own strings, so that no shell ever reads it:
/// <c>&gt;=</c> stays a version constraint.
/// </summary>
internal static class Dockerfile
{
    /// <summary>On everything that a build makes, with its id: what it leaves behind is found by it.</summary>
    public const string Label = "stacyvm.build";

    // The packages are its arguments, never part of its text. One instruction, so that the package lists are in no layer.
    private const string Install = "apt-get update && apt-get install -y --no-install-recommends \"$@\" && rm -rf /var/lib/apt/lists/*";

    private const string VersionCheck =
        "import sys; want = sys.argv[1]; have = sys.version.split()[0]; "
        + "sys.exit(None if (have + '.').startswith(want + '.') else 'python_version is ' + want + ', and the image has Python ' + have)";

    public static string Of(EnvironmentSpec spec, string buildId)
    {
        var text = new StringBuilder();
        text.Append("FROM ").Append(SpecRules.PythonBase(spec.BaseImage, spec.PythonVersion)).Append('\n');
        // First, so that layers are found when the build ends half-way.
        text.Append("LABEL ").Append(Label).Append("=\"").Append(buildId).Append("\"\n");
        // Of the build alone: an ARG is not in the image.
        text.Append("ARG DEBIAN_FRONTEND=noninteractive\nARG PIP_BREAK_SYSTEM_PACKAGES=1\nARG PIP_ROOT_USER_ACTION=ignore\n");
        if (spec.AptPackages.Count > 0)
            Run(text, ["sh", "-c", Install, "apt-get", .. spec.AptPackages]);
        if (spec.PythonVersion.Length > 0)
            Run(text, ["python3", "-c", VersionCheck, spec.PythonVersion]);
        if (spec.PythonPackages.Count > 0)
            Run(text, ["pip", "install", "--no-cache-dir", "--disable-pip-version-check", .. spec.PythonPackages]);
        text.Append("WORKDIR /output\nWORKDIR /data\nWORKDIR /workspace\n");
        // Commands of a sandbox do not run as root.
        Run(text, ["chmod", "1777", "/workspace", "/output", "/data"]);
        return text.ToString();
    }

    private static void Run(StringBuilder text, IEnumerable<string> arguments) =>
        text.Append("RUN [").AppendJoin(", ", arguments.Select(argument => $"\"{JsonEncodedText.Encode(argument, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"")).Append("]\n");
}
