import { describe, expect, test } from "vitest";
import { bytesSource } from "./byte-source.ts";
import { locateEntry, readZipDirectory } from "./zip-directory.ts";
import { type FixtureFile, zip } from "./zip.fixture.ts";

const bytes = Uint8Array.of(1, 2, 3);
const file: FixtureFile = { name: "a/b", bytes };

const located = async (archive: Uint8Array) => {
  const source = bytesSource(archive);
  const entry = (await readZipDirectory(source)).get("a/b");
  if (entry === undefined) throw new Error("no a/b");
  const begin = await locateEntry(source, entry);
  return [...archive.subarray(begin, begin + entry.bytes)];
};

/** The archive with a field of its end, `back` bytes from it, set. */
function patched(archive: Uint8Array, back: number, value: number): Uint8Array {
  const copy = archive.slice();
  new DataView(copy.buffer).setUint32(copy.length - back, value, true);
  return copy;
}

describe("readZipDirectory", () => {
  test.each([
    ["plain", zip([file, { name: "c", bytes }])],
    ["zip64", zip([{ name: "c", bytes }, file], { zip64: true })],
    ["aligned, with a comment", zip([file], { align: 64, comment: "PK\x05\x06 and more that is not the end" })],
  ])("finds files in an archive that is %s", async (_, archive) => {
    expect(await located(archive)).toEqual([1, 2, 3]);
  });

  test.each<[string, Uint8Array, string]>([
    ["no end", new Uint8Array(100), "must have its list of files at its end, got none"],
    ["a file named twice", zip([file, file]), '"a/b" twice'],
    ["a directory behind the file", patched(zip([file]), 6, 0x7fffffff), "must lie within"],
    ["more files than listed", patched(zip([file]), 14, 0x00020002), "must be whole"],
    ["a huge directory", patched(zip([file]), 10, 0x7fffffff), "at most 524288 files in 67108864 bytes"],
    ["a directory that is elsewhere", patched(zip([file]), 6, 0), "must hold files"],
    ["a content behind the file", zip([{ ...file, size: 4000 }]), "must lie within the archive, got 4000 bytes"],
    ["a header behind the file", zip([{ ...file, headerAt: 4000 }]), "must lie within the archive, got 4000"],
    ["a header elsewhere", zip([{ ...file, headerAt: 3 }]), "must be where the archive's list says"],
    ["a header beyond 2^53", zip([{ ...file, headerAt: 2 ** 60 }], { zip64: true }), "must lie within the archive"],
    ["several parts", patched(zip([file]), 18, 1), "must be of one part"],
  ])("refuses %s", async (_, archive, message) => {
    await expect(located(archive)).rejects.toThrow(message);
  });
});
