import { describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { parseDenoiserConfig, presets } from "./config.ts";
import { Denoiser } from "./denoiser.ts";
import { OmniHuman } from "./model.ts";
import { tinyConfig, tinyHuman } from "./tiny.fixture.ts";
import { saveAudio, saveAutoencoder, saveDenoiser, weightsIn } from "./weights.ts";

describe("weights", () => {
  test("come back as they were saved, config and all", async () => {
    const model = await tinyHuman();
    const loaded = await OmniHuman.load({
      vae: await saveAutoencoder(model.vae, { dtype: "f32" }),
      audio: await saveAudio(model.audio, { dtype: "f32" }),
      dit: await saveDenoiser(model.denoiser, { dtype: "f32", metadata: { seed: "1" } }),
    });
    expect(loaded.config).toEqual(model.config);
    expect(loaded.numParameters()).toBe(model.numParameters());
    const [ours, theirs] = [model.denoiser.parameters(), loaded.denoiser.parameters()];
    for (const [name, value] of Object.entries(ours)) expect(await theirs[name]?.data()).toEqual(await value.data());
  });

  test("of another model are refused by name", async () => {
    const { audio, vae } = await tinyHuman();
    const [sound, frames] = [await saveAudio(audio), await saveAutoencoder(vae)];
    await expect(OmniHuman.load({ vae: frames, audio: sound, dit: sound })).rejects.toThrow(
      'must hold an omni-human model, got "omni-audio"',
    );
  });

  test("names begin with the part's", () => {
    const prefixes = Object.keys(new Denoiser(tinyConfig).parameters()).map((name) => name.split(".", 1)[0]);
    expect(new Set(prefixes)).toEqual(new Set(["dit", "text", "pose"]));
  });

  test("lie in a folder under fixed names", () => {
    expect(weightsIn("w").dit).toBe("w/dit.safetensors");
    expect(weightsIn(new URL("file:///w/nano")).vae).toEqual(new URL("file:///w/nano/vae.safetensors"));
  });
});

describe("parseDenoiserConfig", () => {
  const { vae: _vae, audio: _audio, ...nano } = presets.nano;

  test("takes the presets", () => {
    expect(parseDenoiserConfig(JSON.parse(JSON.stringify(nano)))).toEqual(nano);
  });

  test("names the field that is wrong", () => {
    expect(() => parseDenoiserConfig({ ...nano, clip: { ...nano.clip, motionFrames: 4 } })).toThrow(
      "DenoiserConfig.clip.motionFrames: must be 1 + 4n",
    );
    expect(() => parseDenoiserConfig({ ...nano, extra: 1 })).toThrow(ConfigError);
    expect(() => parseDenoiserConfig({ ...nano, dit: { ...nano.dit, depth: 0 } })).toThrow("DitConfig.depth");
  });
});

describe("OmniHuman", () => {
  test("refuses parts that do not fit together", () => {
    const other = { ...tinyConfig, audio: { ...tinyConfig.audio, hiddenSize: 16 } };
    expect(() => OmniHuman.create(other)).toThrow("dit.audioDim must equal the audio encoder's feature width");
  });
});
