/** The products of the demo store. Prices are in cents. The pictures are in images/, named by SKU. */
export const demoProducts = [
  {
    sku: "BASKET-WILLOW",
    name: "Willow Basket",
    price: 6400,
    onHand: 18,
    description:
      "Hand-woven from unpeeled willow with a sturdy twisted handle. Carries the market home and looks good doing it.",
  },
  {
    sku: "BLANKET-WOOL",
    name: "Merino Wool Blanket",
    price: 18900,
    onHand: 12,
    description:
      "Two metres of soft Australian merino in wide stripes, woven in a mill that has done nothing else since 1911.",
  },
  {
    sku: "BOARD-OAK",
    name: "Oak Serving Board",
    price: 5900,
    onHand: 40,
    description:
      "A single piece of European oak, oiled by hand. For bread in the morning and cheese at night.",
  },
  {
    sku: "BOOKENDS-ARCH",
    name: "Arch Bookends",
    price: 7200,
    onHand: 9,
    description:
      "A pair of cast concrete arches that hold up a shelf of hardbacks without sliding.",
  },
  {
    sku: "BOWL-MIXING",
    name: "Stoneware Mixing Bowl",
    price: 4800,
    onHand: 33,
    description:
      "Deep enough for a double batch, with a spout that pours without dripping. Dishwasher safe.",
  },
  {
    sku: "CANDLE-CEDAR",
    name: "Cedar & Smoke Candle",
    price: 3900,
    onHand: 120,
    description:
      "Soy wax, a cotton wick and fifty hours of cedar, vetiver and a little wood smoke.",
  },
  {
    sku: "CHAIR-ASH",
    name: "Ash Dining Chair",
    price: 42000,
    onHand: 6,
    description: "Steam-bent ash, a woven paper-cord seat and joints that will outlast the table.",
  },
  {
    sku: "CLOCK-WALL",
    name: "Quiet Wall Clock",
    price: 8900,
    onHand: 21,
    description: "A sweeping movement that doesn't tick, behind glass, in a frame of turned beech.",
  },
  {
    sku: "CUSHION-LINEN",
    name: "Linen Cushion",
    price: 5400,
    onHand: 54,
    description:
      "Stone-washed linen with a feather insert. It gets softer each time it goes through the wash.",
  },
  {
    sku: "KETTLE-ENAMEL",
    name: "Enamel Kettle",
    price: 9800,
    onHand: 17,
    description:
      "Two litres, thick enamel on steel, on any stove including induction. Whistles politely.",
  },
  {
    sku: "LAMP-DESK",
    name: "Angle Desk Lamp",
    price: 15900,
    onHand: 11,
    description: "A weighted base, two brass joints and a warm light exactly where the page is.",
  },
  {
    sku: "LAMP-PENDANT",
    name: "Spun Dome Pendant",
    price: 21500,
    onHand: 3,
    description:
      "Spun aluminium in deep green outside and white inside, on three metres of cloth cable.",
  },
  {
    sku: "MIRROR-ROUND",
    name: "Round Brass Mirror",
    price: 17900,
    onHand: 8,
    description:
      "Sixty centimetres of clear glass in a slim brass rim that will age with the room.",
  },
  {
    sku: "MUG-STONE",
    name: "Stoneware Mug",
    price: 2900,
    onHand: 86,
    description: "Thrown by hand, glazed in oatmeal and dipped in clay. Holds a proper cup of tea.",
  },
  {
    sku: "NOTEBOOK-DOT",
    name: "Dot Grid Notebook",
    price: 2400,
    onHand: 150,
    description:
      "One hundred and sixty pages that take a fountain pen, sewn so that they lie flat.",
  },
  {
    sku: "PLANTER-TERRA",
    name: "Terracotta Planter",
    price: 4500,
    onHand: 28,
    description: "Italian terracotta with a saucer. It breathes, so the roots do too.",
  },
  {
    sku: "PLATE-SPECKLE",
    name: "Speckled Dinner Plate",
    price: 3600,
    onHand: 64,
    description:
      "Twenty-seven centimetres of speckled stoneware with a raised rim that keeps the sauce in.",
  },
  {
    sku: "STOOL-MILK",
    name: "Milking Stool",
    price: 12900,
    onHand: 0,
    description:
      "Three legs that stand on any floor. A seat, a bedside table, a step to the top shelf.",
  },
  {
    sku: "TEAPOT-GLAZED",
    name: "Glazed Teapot",
    price: 7900,
    onHand: 14,
    description: "A litre of tea in a blue reactive glaze, with a strainer built into the spout.",
  },
  {
    sku: "TOTE-CANVAS",
    name: "Canvas Tote",
    price: 6900,
    onHand: 37,
    description:
      "Heavy waxed canvas with leather handles and one pocket for keys. Stands up by itself.",
  },
  {
    sku: "TOWEL-LINEN",
    name: "Linen Tea Towels",
    price: 3200,
    onHand: 73,
    description:
      "A set of two in washed linen, with a loop to hang them by. They dry glasses without a streak.",
  },
  {
    sku: "UMBRELLA-OAK",
    name: "Oak-Handled Umbrella",
    price: 11500,
    onHand: 2,
    description:
      "A steel frame, eight ribs and a handle bent from one piece of oak. Repaired free for life.",
  },
  {
    sku: "VASE-BUD",
    name: "Bud Vase",
    price: 3400,
    onHand: 45,
    description: "For a single stem. Mouth-blown, so that no two of them are the same height.",
  },
  {
    sku: "WATERING-CAN",
    name: "Watering Can",
    price: 6200,
    onHand: 19,
    description: "Galvanised steel with a long spout that reaches the pot at the back.",
  },
] as const;
