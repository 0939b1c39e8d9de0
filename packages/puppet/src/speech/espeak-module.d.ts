declare module "@echogarden/espeak-ng-emscripten" {
  export interface SpeechEvent {
    readonly type: string;
    /** Milliseconds of speech made before the event. */
    readonly audio_position: number;
    /** The phoneme in IPA with stress marks, for events of type "phoneme"; empty for a pause. */
    readonly id: string | number | undefined;
  }
  export interface Worker {
    set_voice(name: string): number;
    set_rate(wordsPerMinute: number): void;
    set_pitch(pitch: number): void;
    set_range(range: number): void;
    get_samplerate(): number;
    synthesize(text: string, callback: (audio: Int16Array, events: readonly SpeechEvent[]) => boolean): void;
  }
  export interface EspeakModule {
    readonly eSpeakNGWorker: new () => Worker;
    readonly HEAPU8: Uint8Array;
  }
  export interface ModuleOptions {
    getPreloadedPackage?: (name: string, size: number) => ArrayBuffer;
  }
  const open: (options?: ModuleOptions) => Promise<EspeakModule>;
  export default open;
}
