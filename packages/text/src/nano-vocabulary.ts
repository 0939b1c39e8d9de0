import type { UnigramJson } from "./tokenizer.ts";

// Append only: a token's id is its place, and trained weights depend on it.
const WORDS = `
a an the and or of in on at to with without from by for into over under near behind beside before after as while is are was be being it its
this that these those there his her their he she they him them who which one two three four five six seven eight nine ten first last no not
very slightly almost fully half both each other same different some any all few many more most less least only just still again then now

person man woman boy girl child kid baby teenager adult elder people human figure character puppet cartoon drawing avatar animal cat dog robot
statue toy doll presenter speaker singer teacher student doctor nurse chef worker actor host guest player friend young old middle aged elderly
male female tall short thin slim fat chubby round square oval long wide narrow small big large little tiny huge

face head hair eye eyes eyebrow eyebrows brow brows nose mouth lip lips teeth tongue cheek cheeks chin jaw ear ears neck forehead beard
moustache mustache stubble freckles skin wrinkles glasses spectacles sunglasses hat cap beanie helmet crown hood scarf earring earrings
necklace bow ribbon mask body torso chest back shoulder shoulders arm arms elbow elbows wrist wrists hand hands finger fingers thumb palm palms
fist waist hip hips leg legs knee knees foot feet

bald curly straight wavy ponytail bun braid braids bangs fringe bob afro spiky shaved blond blonde brunette ginger redhead dark light pale tan
tanned fair bright deep dull vivid pastel neon

red orange yellow green blue purple violet pink brown black white gray grey beige cream gold golden silver teal turquoise cyan magenta maroon
navy olive lime indigo lavender peach coral salmon khaki ivory charcoal crimson scarlet mint rose plain colored coloured colorful colourful

shirt tshirt blouse sweater pullover hoodie jacket coat vest suit tie dress skirt trousers pants jeans shorts uniform apron robe collar sleeve
sleeves button buttons pocket stripe stripes striped dots dotted checked plaid pattern patterned floral logo cotton wool leather denim wearing
wears dressed clothes clothing outfit

background backdrop wall room studio office kitchen bedroom classroom stage street city park garden forest beach sea ocean sky sunset mountain
mountains field desert snow rain night day morning evening indoors outdoors inside outside window door curtain desk table chair sofa shelf
books plant plants lamp screen board picture frame gradient solid blurred blurry simple clean empty soft warm cool shadow shadows sun moon
cloud clouds star stars grass tree trees house building buildings horizon floor ground water

portrait closeup close up shot view bust full upper lower front side profile three quarter facing camera centered centred left right top bottom
middle center centre corner high low eye level angle wide zoom still static moving steady handheld tilted upright vertical horizontal landscape

talking talks talk speaking speaks speak says say saying said singing sings sing song whispering whispers shouting shouts laughing laughs
laugh smiling smiles smile grinning grins frowning frowns frown crying cries yawning blinking blinks blink winking winks wink nodding nods nod
shaking shakes shake turning turns turn tilting tilts tilt leaning leans lean looking looks look gazing staring stares glancing glances moving
moves move gesturing gestures gesture waving waves wave pointing points point raising raises raise lowering lowers lower lifting lifts lift
clapping claps clap dancing dances dance walking walks walk standing stands stand sitting sits sit bowing bows breathing breathes swaying sways
counting counts count explaining explains explain telling tells tell reading reads read asking asks ask answering answers answer listening
listens listen thinking thinks think holding holds hold playing plays play opening opens open closing closes close closed crossing crossed
crosses folded spread resting rests rest shrugging shrugs shrug rubbing touching touches touch stops stop starts start pausing pauses pause

happy happily sad sadly angry angrily surprised scared afraid calm calmly excited excitedly bored tired nervous nervously proud proudly shy
shyly serious seriously friendly gently gentle neutral confident confidently curious cheerful cheerfully relaxed tense worried thoughtful
thoughtfully joyful energetic energetically lively quiet quietly loud loudly silent silently slow slowly fast quick quickly suddenly softly
clearly smoothly often sometimes always never once twice repeatedly briefly emotion emotional expression expressive mood

english german french spanish italian portuguese dutch polish russian turkish chinese japanese korean hindi arabic language accent voice word
words sentence sentences story news poem speech lesson joke question hello hi goodbye bye thanks thank please yes okay welcome music microphone
phone book cup ball flower guitar piano drum pen paper bag bottle glass umbrella

video clip animation animated illustration sketch painting comic anime style flat vector lines outline realistic photo photograph image scene
frame frames quality detailed sharp resolution minimal abstract texture shape shapes circle triangle rectangle line lighting lit natural
dramatic backlit indoor outdoor daylight

i you we me my your our us what when where why how can could will would should may might must do does did done have has had having if so but
because than too also even such like about around between through during against toward towards across along above below down off out away
here next until since upon within per via else ever every another own new good great nice best better bad worse worst beautiful pretty ugly
handsome cute lovely funny strange time year minute second seconds moment way thing things part side end beginning world life work home family
make makes made making take takes took taking give gives gave giving get gets got getting go goes went going come comes came coming see sees
saw seeing know knows knew find finds found keep keeps kept let lets put puts show shows shown showing use uses used using try tries want wants
need needs feel feels seem seems become becomes wait waits run runs running jump jumps jumping eat eats eating drink drinks drinking

chestnut goatee headband hills hill lilac mohawk parted pigtails sign signs spreads thumbs victory okay heart salute salutes palms temple chin
chopping chops drumming drums framing weighing weighs scratching scratches pinching pinches
`;

const SUFFIXES = `
s es ed d ing er est ly y ies ness ment tion sion able ible al ic ish ful less ous ive en ity ty or ar an n t r l m e o a i u h k p c g b f v w
th sh ch st nd nt ng nk rd rt ck ll ss tt ee oo ea ai ou ow ay oy re un de di in im er on at it is as ar al el le ra ri ro la li lo na ne ni
no ma me mi mo ta te ti to ca co da do sa se si so pa pe pi po ba be bi bo ga ge gi go ha he hi ho ka ke ki ko va ve vi
`;

const PUNCTUATION = `. , ; : ! ? ' " - – — ( ) [ ] { } / \\ & % + = * # @ $ € £ _ ~ ^ < > | … “ ” ‘ ’ «  » ° §`;
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789äöüßáàâãåæçéèêëíìîïñóòôõøœúùûýÿ";

const SPACE = "▁";
// one score for all words and letters: the shortest segmentation wins; ids of special and byte tokens are never made from text itself
const PIECE_SCORE = -10;
const NEVER = -1000;
const SIZE = 1536;

const split = (list: string): string[] => list.split(/\s+/).filter((word) => word.length > 0);

/**
 * The tokenizer of the nano text encoder: a Unigram model in Hugging Face's `tokenizer.json` form, over lower-cased text. Its pieces are
 * the words of captions of talking figures, common endings, letters, and all bytes, so that any text can be written.
 */
export function nanoTokenizer(): UnigramJson {
  const special = ["<pad>", "</s>", "<unk>"];
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const letters = [...Array.from(LETTERS), ...split(PUNCTUATION)];
  const pieces = new Set([SPACE, ...letters, ...split(SUFFIXES), ...split(WORDS).map((word) => SPACE + word)]);
  const reserved = SIZE - special.length - bytes.length - pieces.size;
  if (reserved < 0)
    throw new RangeError(`nanoTokenizer: the vocabulary must fit ${SIZE} pieces, has ${SIZE - reserved}`);
  const unused = Array.from({ length: reserved }, (_, i) => `<unused${i}>`);
  const vocab: [string, number][] = [
    ...[...special, ...bytes].map((piece): [string, number] => [piece, NEVER]),
    ...[...pieces].map((piece): [string, number] => [piece, PIECE_SCORE]),
    ...unused.map((piece): [string, number] => [piece, NEVER]),
  ];
  return {
    version: "1.0",
    added_tokens: [],
    normalizer: { type: "Sequence", normalizers: [{ type: "NFKC" }, { type: "Lowercase" }] },
    pre_tokenizer: { type: "Metaspace", replacement: SPACE, prepend_scheme: "always", split: true },
    post_processor: null,
    decoder: null,
    model: { type: "Unigram", unk_id: 2, byte_fallback: true, vocab },
  };
}
