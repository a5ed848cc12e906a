using System.Globalization;
using System.Text;

namespace StacyVM.Server.Observability;

/// <summary>Metrics in Prometheus' text format, version 0.0.4: a family is described once, then come its series.</summary>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new(8 * 1024);
    private string _family = "";

    /// <summary>Begins a family. One whose values only grow is a counter, and so it is typed.</summary>
    public PrometheusText Counter(string name, string help) => Begin(name, help, "counter");

    /// <summary>Begins a family whose values go up and down.</summary>
    public PrometheusText Gauge(string name, string help) => Begin(name, help, "gauge");

    /// <summary>A series of the family that was begun last.</summary>
    public PrometheusText Add(double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(_family);
        for (int i = 0; i < labels.Length; i++)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            Escape(labels[i].Value);
            _text.Append('"');
        }
        if (labels.Length > 0)
            _text.Append('}');
        _text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        return this;
    }

    public override string ToString() => _text.ToString();

    private PrometheusText Begin(string name, string help, string type)
    {
        _family = name;
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        return this;
    }

    private void Escape(string value)
    {
        foreach (char c in value)
        {
            _ = c switch
            {
                '\\' => _text.Append(@"\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append("\\n"),
                _ => _text.Append(c),
            };
        }
    }
}
