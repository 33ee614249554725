using Bench.Disk.Topology;
using Xunit;

namespace Bench.Harness.Tests.Topology;

public sealed class HostProbeTests
{
    private const string Server = """
        etc/os-release	NAME="Debian GNU/Linux"
        etc/os-release	PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        proc/sys/kernel/hostname	db1
        proc/sys/kernel/osrelease	6.1.0-18-amd64
        proc/sys/net/ipv4/tcp_congestion_control	cubic
        proc/cpuinfo	processor\t: 0
        proc/cpuinfo	model name\t: Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz
        proc/cpuinfo	flags\t\t: fpu vme de pse vmx
        proc/meminfo	MemTotal:       263816192 kB
        proc/meminfo	MemFree:         1000000 kB
        proc/self/status	Name:\tbench
        proc/self/status	Uid:\t1000\t1000\t1000\t1000
        proc/self/status	Cpus_allowed_list:\t0-7,16-23,31
        proc/self/limits	Limit                     Soft Limit           Hard Limit           Units     
        proc/self/limits	Max locked memory         8388608              unlimited            bytes     
        proc/self/cgroup	0::/user.slice/user-1000.slice/session-2.scope
        proc/self/mountinfo	22 1 8:2 / / rw - ext4 /dev/sda2 rw
        proc/self/mountinfo	30 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate
        proc/1/cgroup	0::/init.scope
        sys/class/dmi/id/sys_vendor	Dell Inc.
        sys/class/dmi/id/product_name	PowerEdge R750
        sys/devices/system/node/node0/
        sys/devices/system/node/node1/
        sys/devices/system/cpu/cpu0/cache/index0/level	1
        sys/devices/system/cpu/cpu0/cache/index0/type	Data
        sys/devices/system/cpu/cpu0/cache/index0/size	48K
        sys/devices/system/cpu/cpu0/cache/index1/level	1
        sys/devices/system/cpu/cpu0/cache/index1/type	Instruction
        sys/devices/system/cpu/cpu0/cache/index1/size	32K
        sys/devices/system/cpu/cpu0/cache/index3/level	3
        sys/devices/system/cpu/cpu0/cache/index3/type	Unified
        sys/devices/system/cpu/cpu0/cache/index3/size	49152K
        sys/devices/system/cpu/cpu0/cpufreq/scaling_governor	powersave
        sys/devices/system/cpu/cpu1/cpufreq/scaling_governor	powersave
        sys/kernel/mm/transparent_hugepage/enabled	always [madvise] never
        sys/fs/cgroup/user.slice/memory.max	max
        sys/fs/cgroup/user.slice/memory.high	max
        sys/fs/cgroup/user.slice/user-1000.slice/memory.max	max
        sys/fs/cgroup/user.slice/cpu.max	max 100000
        """;

    [Fact]
    public void A_bare_server_is_read_as_it_is()
    {
        HostInfo host = Probe(Server);

        Assert.Equal(
            ("db1", "Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64", "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"),
            (host.Name, host.OperatingSystem, host.Kernel, host.Processor));
        Assert.Equal((17, 2, 49152L * 1024, 263816192L * 1024), (host.LogicalProcessors, host.NumaNodes, host.LastLevelCacheBytes, host.MemoryBytes));
        Assert.Equal(("powersave", "cubic", "madvise", 8388608L), (host.CpuGovernor, host.TcpCongestionControl, host.TransparentHugePages, host.MemlockBytes));
        Assert.Equal((null, null, false), (host.Virtualization, host.Container, host.Root));
        Assert.Equal((null, null), (host.CgroupMemoryLimitBytes, host.CgroupCpuLimit));
        Assert.Empty(host.CgroupIoLimits);
        Assert.StartsWith("The CPU governor is powersave", Assert.Single(host.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void The_smallest_limit_from_the_own_group_up_to_the_root_counts_in_v2()
    {
        HostInfo host = Probe(Server + """

            sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope/memory.max	4294967296
            sys/fs/cgroup/user.slice/user-1000.slice/memory.high	536870912
            sys/fs/cgroup/user.slice/user-1000.slice/io.max	8:0 rbps=104857600 wbps=max riops=max wiops=max
            sys/fs/cgroup/user.slice/user-1000.slice/cpu.max	150000 100000
            """);

        Assert.Equal(536870912, host.CgroupMemoryLimitBytes);
        Assert.Equal(["io.max 8:0 rbps=104857600 wbps=max riops=max wiops=max"], host.CgroupIoLimits);
        Assert.Equal(1.5, host.CgroupCpuLimit);
        Assert.Contains(host.Warnings, warning => warning.StartsWith("The control group allows 512 MiB of 251.6 GiB memory", StringComparison.Ordinal));
        Assert.Contains(host.Warnings, warning => warning.Contains("io.max 8:0 rbps=104857600", StringComparison.Ordinal));
        Assert.Contains(host.Warnings, warning => warning.Contains("1.5 processors", StringComparison.Ordinal));
    }

    [Fact]
    public void Limits_of_v1_are_read_from_each_controllers_own_hierarchy()
    {
        HostInfo host = Probe("""
            proc/meminfo	MemTotal:       16777216 kB
            proc/self/cgroup	9:memory:/docker/abc
            proc/self/cgroup	4:cpu,cpuacct:/docker/abc
            proc/self/cgroup	3:blkio:/docker/abc
            proc/self/cgroup	1:name=systemd:/docker/abc
            proc/self/mountinfo	22 1 8:2 / / rw - ext4 /dev/sda2 rw
            proc/self/mountinfo	31 22 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
            proc/self/mountinfo	32 22 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            proc/self/mountinfo	33 22 0:29 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio
            proc/self/mountinfo	34 22 8:2 /x /etc/hosts rw - ext4 /dev/sda2 rw
            .dockerenv	\c
            sys/fs/cgroup/memory/memory.limit_in_bytes	536870912
            sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us	-1
            sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us	100000
            sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us	200000
            sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us	100000
            sys/fs/cgroup/blkio/docker/abc/blkio.throttle.read_bps_device	8:0 1048576
            sys/fs/cgroup/blkio/blkio.throttle.write_iops_device	8:16 100
            """);

        Assert.Equal(536870912, host.CgroupMemoryLimitBytes);
        Assert.Equal(2.0, host.CgroupCpuLimit);
        Assert.Equal(["blkio.throttle.read_bps_device 8:0 1048576", "blkio.throttle.write_iops_device 8:16 100"], host.CgroupIoLimits);
        Assert.Equal("docker", host.Container);
    }

    [Theory]
    [InlineData("9223372036854771712")]
    [InlineData("max")]
    [InlineData("")]
    public void An_unlimited_group_has_no_limit(string limit)
    {
        HostInfo host = Probe($"""
            proc/self/cgroup	9:memory:/
            proc/self/mountinfo	22 1 8:2 / / rw - ext4 /dev/sda2 rw
            proc/self/mountinfo	31 22 0:27 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
            sys/fs/cgroup/memory/memory.limit_in_bytes	{limit}
            """);

        Assert.Null(host.CgroupMemoryLimitBytes);
        Assert.Empty(host.Warnings);
    }

    [Fact]
    public void A_group_outside_of_the_namespace_is_read_at_the_mount()
    {
        HostInfo host = Probe("""
            proc/self/cgroup	0::/../../other
            proc/self/mountinfo	22 1 8:2 / / rw - ext4 /dev/sda2 rw
            proc/self/mountinfo	30 22 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw
            sys/fs/cgroup/memory.max	1073741824
            """);

        Assert.Equal(1073741824, host.CgroupMemoryLimitBytes);
    }

    [Theory]
    [InlineData("QEMU", "Standard PC (Q35 + ICH9, 2009)", "tsc kvm-clock", "kvm")]
    [InlineData("QEMU", "Standard PC (Q35 + ICH9, 2009)", "tsc hpet", "qemu")]
    [InlineData("QEMU", "KVM Virtual Machine", "arch_sys_counter", "kvm")]
    [InlineData("VMware, Inc.", "VMware Virtual Platform", "tsc", "vmware")]
    [InlineData("innotek GmbH", "VirtualBox", "tsc", "virtualbox")]
    [InlineData("Microsoft Corporation", "Virtual Machine", "hyperv_clocksource_tsc_page", "hyper-v")]
    [InlineData("Microsoft Corporation", "Surface Laptop 4", "tsc", null)]
    [InlineData("Amazon EC2", "m6i.large", "tsc kvm-clock", "amazon")]
    [InlineData("Amazon EC2", "m6i.metal", "tsc", null)]
    [InlineData("Google", "Google Compute Engine", "tsc kvm-clock", "google")]
    [InlineData("Dell Inc.", "PowerEdge R750", "tsc hpet", null)]
    public void A_hypervisor_is_known_by_the_firmware(string vendor, string product, string clocks, string? expected) =>
        Assert.Equal(expected, Probe($"""
            sys/class/dmi/id/sys_vendor	{vendor}
            sys/class/dmi/id/product_name	{product}
            sys/devices/system/clocksource/clocksource0/available_clocksource	{clocks}
            """).Virtualization);

    [Theory]
    [InlineData("tsc kvm-clock", "kvm")]
    [InlineData("tsc", "unknown")]
    public void A_guest_without_firmware_tables_is_known_by_its_processor_flag(string clocks, string expected) =>
        Assert.Equal(expected, Probe($"""
            proc/cpuinfo	flags\t\t: fpu vme hypervisor lahf_lm
            sys/devices/system/clocksource/clocksource0/available_clocksource	{clocks}
            """).Virtualization);

    [Theory]
    [InlineData("0x41", "0xd0c", "ARM Neoverse-N1")]
    [InlineData("0x99", "0x001", "arm64 implementer 0x99 part 0x001")]
    public void An_arm64_processor_is_named_from_its_numbers(string implementer, string part, string expected) =>
        Assert.Equal(expected, Probe($"proc/cpuinfo\tCPU implementer\\t: {implementer}\nproc/cpuinfo\tCPU part\\t: {part}").Processor);

    [Theory]
    [InlineData("run/.containerenv\t\\c", "podman")]
    [InlineData("run/systemd/container\tlxc", "lxc")]
    [InlineData("proc/1/environ\tPATH=/bin\\x00container=systemd-nspawn\\x00\\c", "systemd-nspawn")]
    [InlineData("proc/1/cgroup\t5:cpu:/kubepods/burstable/pod1/x", "kubernetes")]
    [InlineData("proc/1/cgroup\t0::/init.scope", null)]
    [InlineData(".dockerenv\t\\c", null)]
    public void A_container_is_known_by_what_its_runtime_leaves(string line, string? expected) => Assert.Equal(expected, Probe(line).Container);

    [Fact]
    public void A_pod_is_known_by_its_environment()
    {
        using var tree = new RecordedTree("proc/");
        Assert.Equal("kubernetes", new HostProbe(tree.Root, name => name == "KUBERNETES_SERVICE_HOST" ? "10.0.0.1" : null).Probe().Container);
    }

    [Theory]
    [InlineData("0", 1)]
    [InlineData("0-3", 4)]
    [InlineData("0-3,8,10-11", 7)]
    [InlineData("3-0", null)]
    [InlineData("a", null)]
    [InlineData("1-2-3", null)]
    public void A_list_of_processors_is_counted(string list, int? expected) => Assert.Equal(expected, HostProbe.CountOfList(list));

    [Fact]
    public void An_empty_root_gives_nulls_and_no_warnings()
    {
        HostInfo host = Probe("empty/");

        Assert.Equal((null, null, null, null), (host.Name, host.OperatingSystem, host.Processor, host.MemoryBytes));
        Assert.Empty(host.Warnings);
    }

    [Fact]
    public void This_machine_says_what_it_is()
    {
        HostInfo host = new HostProbe().Probe();

        Assert.Equal(Environment.Version.ToString(), host.Runtime);
        Assert.Equal(Environment.IsPrivilegedProcess, host.Root);
        Assert.NotNull(host.Kernel);
        Assert.True(host.MemoryBytes > 0);
        Assert.True(host.LogicalProcessors > 0);
        Assert.Contains(host.Architecture, new[] { "x64", "arm64" });
    }

    private static HostInfo Probe(string tree)
    {
        using var recorded = new RecordedTree(tree);
        return new HostProbe(recorded.Root, _ => null).Probe();
    }
}
