using System.Text;

namespace Bench.Disk.Topology;

/// <summary>
/// Vital product data that the kernel keeps of a SCSI or SATA disk and exports as binary files (vpd_pg80, vpd_pg89). A page
/// opens with four bytes: device type, page code, and the length of the rest, big-endian (SCSI Primary Commands, "VPD
/// parameters").
/// </summary>
internal static class ScsiPages
{
    private const int HeaderBytes = 4;

    // SCSI/ATA Translation, "ATA Information VPD page": the drive's IDENTIFY DEVICE data, 512 bytes, starts here.
    private const int IdentifyPosition = 60;

    /// <summary>The serial number of page 80h; null if the page is none or empty.</summary>
    internal static string? SerialNumber(byte[]? page)
    {
        if (page is null || page.Length < HeaderBytes || page[1] != 0x80)
            return null;
        int length = Math.Min((page[2] << 8) | page[3], page.Length - HeaderBytes);
        return NullIfEmpty(Encoding.ASCII.GetString(page, HeaderBytes, length));
    }

    /// <summary>
    /// Model and firmware of a SATA drive from page 89h, whole: the files "model" and "rev" have the SCSI lengths of 16 and
    /// 4 characters, and cut "Samsung SSD 870 EVO 500GB" before what tells drives apart.
    /// </summary>
    internal static (string? Model, string? Firmware) AtaIdentity(byte[]? page) =>
        page is null || page.Length < IdentifyPosition + 512 || page[1] != 0x89
            ? default
            : (AtaString(page, firstWord: 27, words: 20), AtaString(page, firstWord: 23, words: 4));

    // ATA Command Set, "ATA string convention": two characters a word, the first in the high byte of a little-endian word.
    private static string? AtaString(byte[] page, int firstWord, int words)
    {
        var text = new StringBuilder(words * 2);
        for (int position = IdentifyPosition + firstWord * 2; text.Length < words * 2; position += 2)
            text.Append((char)page[position + 1]).Append((char)page[position]);
        return NullIfEmpty(text.ToString());
    }

    private static string? NullIfEmpty(string text) => text.Trim(' ', '\0') is { Length: > 0 } trimmed ? trimmed : null;
}
