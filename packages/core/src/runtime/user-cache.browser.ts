/** A file of the origin's private file system, or of localStorage; null where it is missing or cannot be read. */
export async function readCached(name: string): Promise<string | null> {
  try {
    const folder = await privateFolder();
    return await (await (await folder.getFileHandle(name)).getFile()).text();
  } catch {
    return localText(name);
  }
}

/** @throws where the page may store nothing */
export async function writeCached(name: string, text: string): Promise<void> {
  try {
    const folder = await privateFolder();
    const file = await folder.getFileHandle(name, { create: true });
    // takes the file's place when it is closed
    const stream = await file.createWritable();
    await stream.write(text);
    await stream.close();
  } catch {
    localStorage.setItem(`omni/${name}`, text);
  }
}

const privateFolder = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle("omni", { create: true });

function localText(name: string): string | null {
  try {
    return localStorage.getItem(`omni/${name}`);
  } catch {
    return null;
  }
}
