namespace StacyVM.Cli.Bench.Levels;

/// <summary>What is promised of the levels beside the bare programs, judged by the medians of one run.</summary>
internal static class LevelPromises
{
    public static IEnumerable<Verdict> Judge(IReadOnlyList<LevelRow> levels, IReadOnlyList<Latency> floors)
    {
        double? Floor(string name) => floors.FirstOrDefault(floor => floor.Name == name)?.P50;
        LevelRow? Level(string name) => levels.FirstOrDefault(level => level.Provider == name);

        return ((Verdict?[])
        [
            Promises.AtMost("gvisor: spawn ÷ runsc run", Level("gvisor")?.SpawnMs / Floor(RawRunsc.Run), 1.5, "×"),
            Promises.AtMost("gvisor: from checkpoint ÷ runsc restore + exec", Level("gvisor")?.CheckpointMs / Floor(RawRunsc.Restore), 1.5, "×"),
            Promises.AtLeast("qemu: first spawn (cold boot) ÷ further spawn (restore)", Level("qemu")?.FirstMs / Level("qemu")?.SpawnMs, 8, "×"),
            Promises.AtLeast("docker: docker run ÷ spawn", Floor(Names.DockerRun) / Level("docker")?.SpawnMs, 1, "×"),
            Promises.AtLeast("docker: docker exec ÷ exec", Floor(Names.DockerExec) / Level("docker")?.ExecMs, 20, "×"),
        ]).OfType<Verdict>();
    }
}
