using StacyVM.Engine.Linux.Cgroups;
using Xunit;

namespace StacyVM.Tests.Linux;

public sealed class CgroupMountsTests
{
    [Fact]
    public void Version_1_gives_one_mount_a_hierarchy()
    {
        IReadOnlyList<CgroupMount> mounts = CgroupMounts.Parse(
            [
                "30 24 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory",
                "31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
                "32 24 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd",
            ],
            ["4:memory:/user.slice", "3:cpu,cpuacct:/", "1:name=systemd:/user.slice"],
            _ => "");
        Assert.Equal([("/sys/fs/cgroup/memory", "memory", "/user.slice"), ("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct", "/")],
            mounts.Select(mount => (mount.Path, string.Join(',', mount.Controllers), mount.Own)));
        Assert.All(mounts, mount => Assert.Equal(1, mount.Version));
    }

    [Fact]
    public void Version_2_tells_its_controllers_in_a_file()
    {
        CgroupMount mount = Assert.Single(CgroupMounts.Parse(
            ["29 23 0:25 / /sys/fs/cgroup rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate"],
            ["0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope"],
            path => path == "/sys/fs/cgroup/cgroup.controllers" ? "cpuset cpu io memory hugetlb pids rdma misc" : ""));
        Assert.Equal(2, mount.Version);
        Assert.Equal(["cpu", "memory", "pids"], mount.Controllers);
        Assert.Equal("/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope", mount.Own);
    }

    [Fact]
    public void Hybrid_has_both()
    {
        IReadOnlyList<CgroupMount> mounts = CgroupMounts.Parse(
            ["30 24 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids", "29 24 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"],
            ["2:pids:/", "0::/"],
            _ => "hugetlb");
        Assert.Equal([1, 2], mounts.Select(mount => mount.Version));
        Assert.Empty(mounts[1].Controllers);
    }

    [Fact]
    public void A_container_sees_its_own_part_as_the_top()
    {
        CgroupMount mount = Assert.Single(CgroupMounts.Parse(
            ["30 24 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory"], ["4:memory:/docker/abc/inner"], _ => ""));
        Assert.Equal("/inner", mount.Own);
    }
}
