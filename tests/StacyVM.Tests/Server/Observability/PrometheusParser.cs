using System.Globalization;
using Xunit;

namespace StacyVM.Tests.Server.Observability;

/// <summary>Reads Prometheus' text format as strictly as a scraper does: types before series, no series twice, escapes in labels.</summary>
internal sealed class PrometheusParser
{
    private readonly Dictionary<string, string> _types = [];
    private readonly Dictionary<string, double> _series = [];

    private PrometheusParser()
    {
    }

    /// <summary>Family → type.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Series as <c>name{label=value,…}</c>, labels sorted and unescaped → value.</summary>
    public IReadOnlyDictionary<string, double> Series => _series;

    public static PrometheusParser Parse(string text)
    {
        Assert.EndsWith("\n", text);
        var parser = new PrometheusParser();
        string? family = null;
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            string[] words = line.Split(' ', 4);
            if (words is ["#", "HELP", _, { Length: > 0 }])
                family = words[2];
            else if (words is ["#", "TYPE", var name, var type])
            {
                Assert.Equal(family, name);
                Assert.True(parser._types.TryAdd(name, type), $"{name} is typed twice");
                Assert.Contains(type, (string[])["counter", "gauge"]);
            }
            else
                parser.ReadSeries(line, family);
        }
        return parser;
    }

    private void ReadSeries(string line, string? family)
    {
        int end = line.IndexOfAny(['{', ' ']);
        string name = line[..end];
        Assert.Equal(family, name);
        Assert.True(_types.ContainsKey(name), $"{name} has no type");
        var labels = new SortedDictionary<string, string>();
        int at = end;
        if (line[at] == '{')
        {
            do
            {
                at++;
                int equals = line.IndexOf('=', at);
                string label = line[at..equals];
                Assert.Matches("^[a-zA-Z_][a-zA-Z0-9_]*$", label);
                at = equals + 2;
                Assert.Equal('"', line[equals + 1]);
                string value = "";
                for (; line[at] != '"'; at++)
                {
                    if (line[at] == '\\')
                        value += line[++at] switch { 'n' => '\n', '\\' => '\\', '"' => '"', _ => throw new FormatException(line) };
                    else
                        value += line[at];
                }
                labels.Add(label, value);
                at++;
            }
            while (line[at] == ',');
            Assert.Equal('}', line[at++]);
        }
        Assert.Equal(' ', line[at]);
        string key = labels.Count == 0 ? name : $"{name}{{{string.Join(',', labels.Select(label => $"{label.Key}={label.Value}"))}}}";
        Assert.True(_series.TryAdd(key, double.Parse(line[(at + 1)..], CultureInfo.InvariantCulture)), $"{key} is there twice");
    }
}
