using Bench.Disk.Topology;

namespace Bench.Reports.Content;

/// <summary>A line of the tree from the folder down to the disks.</summary>
internal sealed record TreeNode(string Name, string Text, IReadOnlyList<TreeNode> Below);

/// <summary>What lies under the target, as a tree of short lines.</summary>
internal static class TopologyTree
{
    public static TreeNode Of(DeviceTopology target)
    {
        string?[] mount =
        [
            target.Mount.FileSystem + (target.DataProfile is { } profile ? $" {profile}" : "") + (target.DataState is { } state ? $", {state}" : ""),
            target.Mount.MountPoint.Length == 0 ? "the device itself" : $"on {target.Mount.MountPoint} from {target.Mount.Source}",
            target.TotalBytes > 0 ? $"{Format.Bytes(target.TotalBytes)}, {Format.Bytes(target.FreeBytes)} free" : null,
            target.Mount.Options,
        ];
        return new TreeNode(target.Folder, "", [new TreeNode(mount[0]!, Joined(mount[1..]), [.. target.Devices.Select(Of)])]);
    }

    private static TreeNode Of(BlockDevice device)
    {
        string?[] facts =
        [
            device.Kind switch
            {
                BlockDeviceKind.Partition => "partition",
                BlockDeviceKind.Loop => "loop device" + (device.LoopDirectIo switch { true => ", direct I/O on", false => ", direct I/O off", _ => "" }),
                BlockDeviceKind.Md => "software RAID",
                BlockDeviceKind.DeviceMapper => "device-mapper volume",
                BlockDeviceKind.Memory => "memory",
                BlockDeviceKind.Disk => "disk",
                _ => null,
            },
            device.Role,
            device.Level,
            device.State,
            device.ChunkBytes is { } chunk ? $"chunk {Format.Bytes(chunk)}" : null,
            device.Model?.Trim(),
            device.Firmware is { } firmware ? $"firmware {firmware.Trim()}" : null,
            device.SizeBytes is { } size ? Format.Bytes(size) : null,
            device.Transport,
            device.Link,
            device.BackingFile is { } file ? $"over {file}{(device.BackingFileSystem is { } on ? $" ({on})" : "")}" : null,
            device.Kind == BlockDeviceKind.Disk && device.Rotational is { } rotational ? rotational ? "says it rotates" : "does not rotate" : null,
            device.LogicalSectorBytes is { } logical ? $"sectors {logical} B" + (device.PhysicalSectorBytes is { } physical && physical != logical ? $" ({physical} B physical)" : "") : null,
            device.Scheduler is { } scheduler ? $"scheduler {scheduler}" : null,
            device.QueueRequests is { } requests ? $"{requests} requests" : null,
            device.ReadAheadKiB is { } readAhead ? $"read-ahead {Format.Bytes(readAhead * 1024.0)}" : null,
            device.WriteCache,
            device.NumaNode is { } node ? $"NUMA node {node}" : null,
            device.SerialHash is { } serial ? $"serial hash {serial}" : null,
        ];
        return new TreeNode(device.Name, Joined(facts), [.. device.Below.Select(Of)]);
    }

    private static string Joined(IEnumerable<string?> facts) => string.Join(" · ", facts.Where(fact => !string.IsNullOrWhiteSpace(fact)));
}
