namespace Bench.Disk.Topology;

/// <summary>Finds the hypervisor that this system runs under.</summary>
/// <param name="root">Where /proc and /sys are read.</param>
internal sealed class Hypervisor(SystemRoot root)
{
    // What the firmware says (SMBIOS type 1), as vendor or product name. The first that fits counts: clouds before
    // the hypervisor that they use. Vendors who also make real machines stand with the product.
    private static readonly (string Text, string Name)[] Firmware =
    [
        ("Amazon EC2", "amazon"), ("Google Compute Engine", "google"), ("OpenStack", "openstack"), ("Alibaba Cloud", "alibaba"),
        ("DigitalOcean", "digitalocean"), ("VMware", "vmware"), ("VirtualBox", "virtualbox"), ("innotek", "virtualbox"),
        ("Parallels", "parallels"), ("BHYVE", "bhyve"), ("HVM domU", "xen"), ("Apple Virtualization", "apple"), ("KVM", "kvm"),
        ("QEMU", "qemu"), ("Microsoft Corporation Virtual Machine", "hyper-v"),
    ];

    /// <summary>The hypervisor's name; null on bare metal; "unknown" where the processor says only that there is one.</summary>
    /// <param name="cpuInfo">The lines of /proc/cpuinfo.</param>
    internal string? Detect(string[] cpuInfo)
    {
        string vendor = root.ReadWord("/sys/class/dmi/id/sys_vendor") ?? "";
        string product = root.ReadWord("/sys/class/dmi/id/product_name") ?? "";
        // EC2 says "Amazon EC2" on its bare-metal machines too; their types end in .metal or .metal-24xl.
        if (vendor == "Amazon EC2" && product.Contains(".metal", StringComparison.Ordinal))
            return null;
        // Xen's first domain drives the real disks itself.
        if (root.ReadWord("/sys/hypervisor/type") is { } type)
            return root.ReadText("/proc/xen/capabilities")?.Contains("control_d", StringComparison.Ordinal) == true ? null : type;

        string clocks = root.ReadWord("/sys/devices/system/clocksource/clocksource0/available_clocksource") ?? "";
        bool kvmClock = clocks.Contains("kvm-clock", StringComparison.Ordinal);
        string firmware = $"{vendor} {product}";
        foreach ((string text, string name) in Firmware)
        {
            // QEMU emulates alone or with KVM: only the latter gives this clock.
            if (firmware.Contains(text, StringComparison.OrdinalIgnoreCase))
                return name == "qemu" && kvmClock ? "kvm" : name;
        }

        if (root.ReadWord("/proc/sys/kernel/osrelease")?.Contains("microsoft", StringComparison.OrdinalIgnoreCase) == true)
            return "wsl";
        // arm64 machines without SMBIOS have a device tree ("linux,kvm", "xen,xen-4.16").
        if (root.ReadWord("/proc/device-tree/hypervisor/compatible")?.Split('\0')[0].Split(',')[^1] is { Length: > 0 } compatible)
            return compatible.Split('-')[0];

        // x86 only: CPUID leaf 1, ECX bit 31. Small monitors such as Firecracker have no SMBIOS; the paravirtual clock names their hypervisor.
        bool guest = cpuInfo.Any(line => line.StartsWith("flags", StringComparison.Ordinal) && line.Split(' ').Contains("hypervisor"));
        if (!guest)
            return null;
        return kvmClock ? "kvm"
            : clocks.Contains("hyperv", StringComparison.Ordinal) ? "hyper-v"
            : clocks.Contains("xen", StringComparison.Ordinal) ? "xen"
            : "unknown";
    }
}
