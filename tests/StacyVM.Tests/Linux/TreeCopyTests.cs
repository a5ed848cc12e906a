using System.Diagnostics;
using StacyVM.Engine.Linux;
using Xunit;

namespace StacyVM.Tests.Linux;

/// <summary>Trees as a stranger may make them.</summary>
public sealed class TreeCopyTests : IDisposable
{
    private static readonly TreeCopyRules Rules = new(null, Libc.GetEffectiveUserId() == 0, long.MaxValue);

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-copy-").FullName;

    private string Source => Path.Combine(_directory, "source");

    private string Target => Path.Combine(_directory, "target");

    public void Dispose() => TreeRemoval.Remove(_directory);

    [Fact]
    public void Everything_is_as_it_was()
    {
        Run("mkdir source && cd source && mkdir -p a/b empty && echo text >a/b/file && ln a/b/file second && ln -s /etc/passwd out && ln -s loop loop && mkfifo pipe"
            + " && mknod white c 0 0 && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")' && truncate -s 5M sparse && printf end >>sparse"
            + " && : >\"$(printf 'bad\\377name\\nline')\" && chmod 4711 a/b/file && chmod 1777 empty && chmod 000 sparse && setfattr -n user.note -v hello a 2>/dev/null; touch -h -d '2001-02-03 04:05:06.789' out a/b/file; touch -d '2001-02-03' a");
        long bytes = TreeCopy.Copy(Source, Target, Rules, CancellationToken.None);
        Assert.InRange(bytes, 10_000, 1_000_000);
        const string List = "find . -printf '%p %y %m %U %G %T@ %l %n\\n' | sort; [ a/b/file -ef second ] && echo same; stat -c '%s %t %T' sparse white; getfattr -d -R . 2>/dev/null";
        Assert.Equal(Run("cd source && " + List), Run("cd target && " + List));
        Assert.Equal("", Run("ls -A | grep names || true"));
        Assert.Equal("", Run("cmp source/a/b/file target/a/b/file; cmp source/sparse target/sparse"));
        Assert.True(long.Parse(Run("stat -c %b target/sparse")) < 1000);
    }

    [Fact]
    public void Owners_are_replaced_where_that_is_asked_for()
    {
        Assert.SkipUnless(Libc.GetEffectiveUserId() == 0, "only root gives files away");
        Run("mkdir -p source/d && echo x >source/d/f && ln -s f source/d/l && chown -hR 12345:12345 source && chmod 2755 source/d/f");
        TreeCopy.Copy(Source, Target, Rules with { Owner = 54321 }, CancellationToken.None);
        Assert.Equal("54321:54321", Run("find target -printf '%U:%G\\n' | sort -u"));
        Assert.Equal("2755", Run("stat -c %a target/d/f"));
    }

    [Fact]
    public void What_is_beyond_a_bound_is_refused()
    {
        Run("mkdir source && head -c 3000000 /dev/zero >source/big");
        Assert.Throws<InvalidDataException>(() => TreeCopy.Copy(Source, Target, Rules with { Most = 1_000_000 }, CancellationToken.None));
        Run("cd source && rm big && i=0; while [ $i -lt 520 ]; do mkdir d && cd d; i=$((i+1)); done");
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => TreeCopy.Copy(Source, Target + "2", Rules, CancellationToken.None));
        Assert.Contains("deep", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_in_the_place_of_the_tree_is_not_followed()
    {
        Run("ln -s /etc source");
        Assert.Throws<IOException>(() => TreeCopy.Copy(Source, Target, Rules, CancellationToken.None));
    }

    [Fact]
    public void It_can_be_given_up()
    {
        Run("mkdir source && echo x >source/f");
        using var abandoned = new CancellationTokenSource();
        abandoned.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => TreeCopy.Copy(Source, Target, Rules, abandoned.Token));
    }

    private string Run(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = _directory, RedirectStandardOutput = true })!;
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return output.Trim();
    }
}
