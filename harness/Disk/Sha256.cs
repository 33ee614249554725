using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Bench.Disk;

/// <summary>
/// SHA-256 (FIPS 180-4): by OpenSSL, as .NET does it on Linux, where that is installed, and by the code below where it is
/// not. .NET ends the whole process at the first hash there, and a machine that bench is carried to, a small container image
/// above all, need not have OpenSSL. It identifies content; nothing here is a secret.
/// </summary>
public sealed class Sha256 : IDisposable
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = SHA256.HashSizeInBytes;

    private const int BlockBytes = 64;

    // What .NET looks for (opensslshim.c), newest first.
    private static readonly string[] Libraries = ["libssl.so.3", "libssl.so.1.1", "libssl.so.1.0.2", "libssl.so.1.0.0", "libssl.so.10"];

    private static readonly uint[] Constants =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    private readonly IncrementalHash? openSsl;
    private readonly uint[] state = new uint[8];
    private readonly byte[] partial = new byte[BlockBytes];
    private long length;

    /// <summary>The hash of nothing yet.</summary>
    public Sha256() : this(HasOpenSsl)
    {
    }

    internal Sha256(bool byOpenSsl)
    {
        if (byOpenSsl)
            openSsl = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Reset();
    }

    /// <summary>Whether OpenSSL can be loaded: without it there is no TLS, and no login to PostgreSQL with a password.</summary>
    public static bool HasOpenSsl { get; } = Libraries.Any(library => NativeLibrary.TryLoad(library, out _));

    /// <summary>The hash of some bytes.</summary>
    public static byte[] Of(ReadOnlySpan<byte> bytes)
    {
        var hash = new byte[HashBytes];
        Of(bytes, hash);
        return hash;
    }

    /// <summary>The hash of some bytes, without allocation where OpenSSL is.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="hash">Gets <see cref="HashBytes"/> bytes.</param>
    public static void Of(ReadOnlySpan<byte> bytes, Span<byte> hash)
    {
        if (HasOpenSsl)
        {
            SHA256.HashData(bytes, hash);
            return;
        }
        using var whole = new Sha256(byOpenSsl: false);
        whole.Append(bytes);
        whole.Finish(hash);
    }

    /// <summary>Goes on with these bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (openSsl is not null)
        {
            openSsl.AppendData(bytes);
            return;
        }
        int begun = (int)(length % BlockBytes);
        length += bytes.Length;
        if (begun > 0)
        {
            int taken = Math.Min(BlockBytes - begun, bytes.Length);
            bytes[..taken].CopyTo(partial.AsSpan(begun));
            bytes = bytes[taken..];
            if (begun + taken < BlockBytes)
                return;
            Compress(partial);
        }
        for (; bytes.Length >= BlockBytes; bytes = bytes[BlockBytes..])
            Compress(bytes);
        bytes.CopyTo(partial);
    }

    /// <summary>The hash of all that was appended; afterwards it begins anew.</summary>
    public byte[] Finish()
    {
        var hash = new byte[HashBytes];
        Finish(hash);
        return hash;
    }

    /// <inheritdoc/>
    public void Dispose() => openSsl?.Dispose();

    private void Finish(Span<byte> hash)
    {
        if (openSsl is not null)
        {
            openSsl.GetHashAndReset(hash);
            return;
        }
        // A one bit, zeros, and the length in bits at the end of a block.
        long bits = length * 8;
        int zeros = (int)((BlockBytes * 2 - 9 - length % BlockBytes) % BlockBytes);
        Span<byte> end = stackalloc byte[BlockBytes * 2];
        end.Clear();
        end[0] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(end[(1 + zeros)..], bits);
        Append(end[..(1 + zeros + sizeof(long))]);
        for (int word = 0; word < state.Length; word++)
            BinaryPrimitives.WriteUInt32BigEndian(hash[(word * sizeof(uint))..], state[word]);
        Reset();
    }

    private void Reset()
    {
        length = 0;
        ReadOnlySpan<uint> first = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
        first.CopyTo(state);
    }

    // The letters are the standard's.
    private void Compress(ReadOnlySpan<byte> block)
    {
        Span<uint> w = stackalloc uint[64];
        for (int t = 0; t < 16; t++)
            w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..]);
        for (int t = 16; t < 64; t++)
        {
            uint s0 = BitOperations.RotateRight(w[t - 15], 7) ^ BitOperations.RotateRight(w[t - 15], 18) ^ (w[t - 15] >> 3);
            uint s1 = BitOperations.RotateRight(w[t - 2], 17) ^ BitOperations.RotateRight(w[t - 2], 19) ^ (w[t - 2] >> 10);
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]);
        for (int t = 0; t < 64; t++)
        {
            uint s1 = BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25);
            uint t1 = h + s1 + ((e & f) ^ (~e & g)) + Constants[t] + w[t];
            uint s0 = BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22);
            uint t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + t1, c, b, a, t1 + t2);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}
