import type { Split } from "../identity.ts";
import { hash, Random } from "../random.ts";

export const languages = ["en", "es", "fr", "de", "it", "pt", "nl", "sv"] as const;
export type Language = (typeof languages)[number];

/** Phrases that fit together in order: who, does what, to what, how or where. */
interface Grammar {
  readonly who: readonly string[];
  readonly does: readonly string[];
  readonly what: readonly string[];
  readonly how: readonly string[];
  readonly short: readonly string[];
}

const split = (text: string): string[] => text.split("|");

const grammars: Record<Language, Grammar> = {
  en: {
    who: split(
      "my brother|the old captain|our teacher|a small dog|the baker|everybody here|your father|the painter|a happy farmer|the young queen|my best friend|nobody|the tall doctor|a clever fox|this machine|the whole village|her sister|the postman",
    ),
    does: split(
      "has found|will bring|wants to paint|always remembers|is looking for|never forgot|can open|would like to buy|is talking about|has already seen|must carry|loves|sometimes hides|would not sell|is going to fix|keeps watching",
    ),
    what: split(
      "a warm blue coat|the big wooden boat|five apples and a pear|the moon|an open window|some very good music|the map of the river|a cup of tea|two white horses|that funny hat|the broken clock|bread and butter|a beautiful garden|every photograph|my favourite book|the last piece of cake",
    ),
    how: split(
      "in the morning|before it rains|with both hands|on the other side of the road|all summer long|without a sound|for a while|at the market|because it is fun|under the bridge|from time to time|by the fire|over and over again|as far as I know",
    ),
    short: split(
      "hello there|good morning|wait a moment|thank you very much|one, two, three, four|oh my|of course we may|what a wonderful day|please come in|maybe tomorrow|how are you|bravo",
    ),
  },
  es: {
    who: split(
      "mi hermano|la maestra|un perro pequeño|el viejo capitán|toda la familia|tu padre|la pintora|una reina joven|mi mejor amiga|el panadero|nadie|el médico|la vecina",
    ),
    does: split(
      "ha encontrado|va a traer|quiere pintar|siempre recuerda|está buscando|nunca olvida|puede abrir|quiere comprar|habla de|ya ha visto|tiene que llevar",
    ),
    what: split(
      "un abrigo azul|el barco grande|cinco manzanas|la luna llena|una ventana abierta|muy buena música|el mapa del río|dos caballos blancos|el reloj roto|pan con mantequilla|un jardín hermoso",
    ),
    how: split(
      "por la mañana|antes de la lluvia|con las dos manos|al otro lado de la calle|todo el verano|sin hacer ruido|en el mercado|debajo del puente|de vez en cuando|junto al fuego",
    ),
    short: split(
      "hola|buenos días|muchas gracias|uno, dos, tres|qué día tan bonito|por supuesto|espera un momento|hasta mañana",
    ),
  },
  fr: {
    who: split(
      "mon frère|la maîtresse|un petit chien|le vieux capitaine|toute la famille|ton père|la jeune reine|ma meilleure amie|le boulanger|personne|le médecin|la voisine",
    ),
    does: split(
      "a trouvé|va apporter|veut peindre|aime beaucoup|cherche encore|n'oublie jamais|peut ouvrir|voudrait acheter|parle souvent de|a déjà vu|doit porter",
    ),
    what: split(
      "un manteau bleu|le grand bateau|cinq pommes|la pleine lune|une fenêtre ouverte|la bonne musique|la carte du fleuve|deux chevaux blancs|la pendule cassée|le pain et le beurre|un beau jardin",
    ),
    how: split(
      "le matin|avant la pluie|avec les deux mains|de l'autre côté de la rue|tout l'été|sans un bruit|au marché|sous le pont|de temps en temps|près du feu",
    ),
    short: split(
      "bonjour|bonsoir à tous|merci beaucoup|un, deux, trois|quelle belle journée|bien sûr|attendez un moment|à demain",
    ),
  },
  de: {
    who: split(
      "mein Bruder|die Lehrerin|ein kleiner Hund|der alte Kapitän|die ganze Familie|dein Vater|die Malerin|die junge Königin|meine beste Freundin|der Bäcker|niemand|der Arzt",
    ),
    does: split(
      "findet morgen|bringt gleich|malt gerne|kennt schon lange|sucht immer noch|vergisst niemals|öffnet langsam|kauft vielleicht|zeigt allen|sieht oft|trägt allein",
    ),
    what: split(
      "einen blauen Mantel|das große Boot|fünf Äpfel|den vollen Mond|ein offenes Fenster|sehr gute Musik|die Karte vom Fluss|zwei weiße Pferde|die kaputte Uhr|Brot mit Butter|einen schönen Garten",
    ),
    how: split(
      "am frühen Morgen|vor dem Regen|mit beiden Händen|auf der anderen Seite|den ganzen Sommer|ohne ein Wort|auf dem Markt|unter der Brücke|ab und zu|neben dem Feuer",
    ),
    short: split(
      "hallo|guten Morgen|vielen Dank|eins, zwei, drei|was für ein schöner Tag|aber natürlich|einen Moment bitte|bis morgen",
    ),
  },
  it: {
    who: split(
      "mio fratello|la maestra|un piccolo cane|il vecchio capitano|tutta la famiglia|tuo padre|la giovane regina|la mia amica|il fornaio|nessuno|il dottore",
    ),
    does: split(
      "ha trovato|porterà|vuole dipingere|ricorda sempre|sta cercando|non dimentica mai|può aprire|vorrebbe comprare|parla di|ha già visto|deve portare",
    ),
    what: split(
      "un cappotto blu|la grande barca|cinque mele|la luna piena|una finestra aperta|della buona musica|la mappa del fiume|due cavalli bianchi|un orologio rotto|pane e burro|un bel giardino",
    ),
    how: split(
      "la mattina|prima della pioggia|con due mani|dall'altra parte della strada|per tutta l'estate|senza rumore|al mercato|sotto il ponte|ogni tanto|vicino al fuoco",
    ),
    short: split(
      "ciao|buongiorno|grazie mille|uno, due, tre|che bella giornata|certamente|aspetta un momento|a domani",
    ),
  },
  pt: {
    who: split(
      "meu irmão|a professora|um cachorro pequeno|o velho capitão|toda a família|o seu pai|a jovem rainha|minha melhor amiga|o padeiro|ninguém|o médico",
    ),
    does: split(
      "encontrou|vai trazer|quer pintar|sempre lembra|está procurando|nunca esquece|pode abrir|gostaria de comprar|fala sobre|já viu|precisa levar",
    ),
    what: split(
      "um casaco azul|o barco grande|cinco maçãs|a lua cheia|uma janela aberta|boa música|o mapa do rio|dois cavalos brancos|o relógio quebrado|pão com manteiga|um belo jardim",
    ),
    how: split(
      "de manhã|antes da chuva|com as duas mãos|do outro lado da rua|o verão todo|sem barulho|no mercado|debaixo da ponte|de vez em quando|perto do fogo",
    ),
    short: split("olá|bom dia|muito obrigado|um, dois, três|que dia bonito|claro que sim|espere um momento|até amanhã"),
  },
  nl: {
    who: split(
      "mijn broer|de lerares|een kleine hond|de oude kapitein|de hele familie|jouw vader|de jonge koningin|mijn beste vriendin|de bakker|niemand|de dokter",
    ),
    does: split(
      "vindt morgen|brengt straks|schildert graag|kent al lang|zoekt nog steeds|vergeet nooit|opent langzaam|koopt misschien|toont vaak|ziet soms|draagt alleen",
    ),
    what: split(
      "een blauwe jas|de grote boot|vijf appels|de volle maan|een open raam|heel goede muziek|de kaart van de rivier|twee witte paarden|de kapotte klok|brood met boter|een mooie tuin",
    ),
    how: split(
      "in de ochtend|voor de regen|met beide handen|aan de andere kant|de hele zomer|zonder geluid|op de markt|onder de brug|af en toe|naast het vuur",
    ),
    short: split(
      "hallo|goedemorgen|heel erg bedankt|een, twee, drie|wat een mooie dag|natuurlijk|wacht even|tot morgen",
    ),
  },
  sv: {
    who: split(
      "min bror|lärarinnan|en liten hund|den gamla kaptenen|hela familjen|din pappa|den unga drottningen|min bästa vän|bagaren|ingen|doktorn",
    ),
    does: split(
      "har hittat|ska hämta|vill måla|minns alltid|letar efter|glömmer aldrig|kan öppna|vill köpa|talar om|har redan sett|måste bära",
    ),
    what: split(
      "en blå rock|den stora båten|fem äpplen|månen|ett öppet fönster|mycket bra musik|kartan över floden|två vita hästar|den trasiga klockan|bröd och smör|en vacker trädgård",
    ),
    how: split(
      "på morgonen|före regnet|med båda händerna|på andra sidan vägen|hela sommaren|utan ett ljud|på torget|under bron|då och då|vid elden",
    ),
    short: split("hej|god morgon|tack så mycket|ett, två, tre|vilken fin dag|naturligtvis|vänta lite|vi ses i morgon"),
  },
};

/** The split a sentence belongs to: one text in eight is held out. */
export function splitOfText(text: string): Split {
  return hash(0x7e47, text) % 8 === 0 ? "test" : "train";
}

/**
 * A sentence from the language's grammar, drawn again until it belongs to the split.
 *
 * @param seed any integer
 */
export function drawSentence(seed: number, language: Language, held: Split): string {
  const grammar = grammars[language];
  for (let attempt = 0; ; attempt++) {
    const random = new Random(hash(seed, `sentence ${attempt}`));
    const clause = `${random.pick(grammar.who)} ${random.pick(grammar.does)} ${random.pick(grammar.what)}`;
    const body = random.chance(0.6) ? `${clause} ${random.pick(grammar.how)}` : clause;
    const text = random.weighted([
      [body, 6],
      [`${random.pick(grammar.short)}, ${clause}`, 2],
      [`${random.pick(grammar.short)}, ${random.pick(grammar.short)}`, 1],
    ] as const);
    const sentence = `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}${random.chance(0.15) ? "!" : "."}`;
    if (splitOfText(sentence) === held) return sentence;
  }
}
