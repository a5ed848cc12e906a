using System.Globalization;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>Times as text of one width, UTC, so that they sort as text.</summary>
internal static class StoredTime
{
    public static string Format(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    public static DateTime Parse(string text) =>
        DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
}
