using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Diagnostics;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Diagnostics;

public sealed class HostSamplerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Queue<HostReading> _readings = new();
    private int _taken;

    [Fact]
    public void Rates_come_with_the_second_sample()
    {
        using HostSampler sampler = Sampler(
            new HostReading(100, 1_000, 40, 50, 10_000, 5_000, 1.5),
            new HostReading(150, 1_200, 41, 50, 12_000, 5_500, 1.25));

        SystemStats first = sampler.Current();
        Assert.Equal((0, 40, 50, 0, 0, 1.5), (first.CpuPct, first.MemPct, first.DiskPct, first.NetRxBps, first.NetTxBps, first.Load1));

        _time.Advance(TimeSpan.FromSeconds(1));
        SystemStats second = sampler.Current();
        Assert.Equal((25, 41, 50, 2_000, 500, 1.25), (second.CpuPct, second.MemPct, second.DiskPct, second.NetRxBps, second.NetTxBps, second.Load1));
    }

    [Fact]
    public void Sampling_begins_with_a_question_and_ends_when_nobody_asks()
    {
        using HostSampler sampler = Sampler();
        Assert.Equal((0, false), (_taken, sampler.Sampling));

        sampler.Current();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((11, true), (_taken, sampler.Sampling));

        _time.Advance(TimeSpan.FromSeconds(30));
        int taken = _taken;
        Assert.False(sampler.Sampling);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(taken, _taken);

        sampler.Current();
        Assert.True(sampler.Sampling);
    }

    [Fact]
    public void A_counter_that_goes_back_is_no_negative_rate()
    {
        using HostSampler sampler = Sampler(new HostReading(100, 1_000, 0, 0, 10_000, 10_000, 0), new HostReading(90, 990, 0, 0, 10, 10, 0));
        sampler.Current();
        _time.Advance(TimeSpan.FromSeconds(1));
        SystemStats stats = sampler.Current();
        Assert.Equal((0, 0, 0), (stats.CpuPct, stats.NetRxBps, stats.NetTxBps));
    }

    [Fact]
    public void The_kernel_is_read_as_it_writes()
    {
        DirectoryInfo proc = Directory.CreateTempSubdirectory("stacyvm-proc-");
        try
        {
            Directory.CreateDirectory(Path.Combine(proc.FullName, "net"));
            Write("stat", "cpu  100 20 30 800 50 1 2 3 7 8\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
            Write("meminfo", "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     250 kB\n");
            Write("loadavg", "0.42 0.30 0.20 1/100 4242\n");
            Write("net/dev", """
                Inter-|   Receive                                                |  Transmit
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
                  eth0:1000 1 0 0 0 0 0 0 300 1 0 0 0 0 0 0
                wlan0: 500 1 0 0 0 0 0 0 50 1 0 0 0 0 0 0
                """);
            HostReading reading = HostReading.Take(proc.FullName, "/");
            Assert.Equal((156, 1_006, 75, 1_500, 350, 0.42),
                (reading.BusyTicks, reading.AllTicks, reading.MemoryPercent, reading.ReceivedBytes, reading.SentBytes, reading.Load));
            Assert.InRange(reading.DiskPercent, 0, 100);
            Assert.Equal(0, HostReading.Take("/nonexistent", "/nonexistent").AllTicks);
        }
        finally
        {
            proc.Delete(recursive: true);
        }

        void Write(string name, string text) => File.WriteAllText(Path.Combine(proc.FullName, name), text);
    }

    private HostSampler Sampler(params ReadOnlySpan<HostReading> readings)
    {
        foreach (HostReading reading in readings)
            _readings.Enqueue(reading);
        return new HostSampler(
            () =>
            {
                _taken++;
                return _readings.TryDequeue(out HostReading? next) ? next : new HostReading(0, 0, 0, 0, 0, 0, 0);
            },
            _time);
    }
}
