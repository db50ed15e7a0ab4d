/** An agent that does not exist: what its author would list, and what its callers say in words of their own. */
export interface Domain {
  name: string;
  /** Its vocabulary: topics' examples, names, choices. */
  phrases: readonly string[];
  /** The same wishes, said in other words. */
  wordings: readonly string[];
}

/** Biasing was tuned on these... */
export const TUNED: readonly Domain[] = [
  {
    name: 'bank',
    phrases: [
      ...['what is my balance', 'I lost my credit card', 'block my card', 'my card was stolen', 'activate my new card'],
      ...['I want to transfer money', 'make a payment', 'I forgot my pin', 'change my pin', 'open a savings account'],
      ...['apply for a mortgage', 'what is the interest rate', 'dispute a charge', 'there is a charge I do not know'],
      ...['stop a check', 'order a checkbook', 'find a branch', 'nearest cash machine', 'close my account'],
      ...['checking account', 'savings account', 'credit card', 'Oakwood Bank', 'overdraft fee', 'wire transfer'],
      ...['direct deposit', 'raise my credit limit', 'statement', 'exchange rate', 'travel notice', 'fraud department'],
    ],
    wordings: [
      ...['how much money do I have in checking', 'somebody stole my credit card yesterday', 'I need a new pin please'],
      ...[
        'I did not make this charge',
        'can you tell me the interest rate on a mortgage',
        'why was there an overdraft fee',
      ],
      ...[
        'I would like to open a checking account',
        'please send me my last statement',
        'my wire transfer did not arrive',
      ],
      ...[
        'where is the closest branch of Oakwood Bank',
        'I am going abroad and need a travel notice',
        'get me the fraud team',
      ],
    ],
  },
  {
    name: 'garage',
    phrases: [
      ...['book a service', 'my car broke down', 'I need a tow truck', 'change my tires', 'my brakes are squeaking'],
      ...['oil change', 'is my car ready', 'how much is an inspection', 'replace the windshield', 'flat tire'],
      ...[
        'the engine light is on',
        'my battery is dead',
        'winter tires',
        'wheel alignment',
        'spark plugs',
        'rental car',
      ],
      ...['the air conditioning does not work', 'get an estimate', 'pick up my car', 'drop off my car', 'warranty'],
      ...['gearbox', 'exhaust', 'clutch', 'Miller Motors', 'dent repair', 'used cars', 'trade in my car'],
    ],
    wordings: [
      ...[
        'my engine light came on this morning',
        'could I get an estimate for new brakes',
        'when can I pick the car up',
      ],
      ...['the clutch is slipping', 'do you have winter tires in stock', 'I am stuck with a flat tire on the highway'],
      ...['do I get a rental car meanwhile', 'I want to drop off my car on Friday', 'is the gearbox under warranty'],
      ...['how long does an oil change take', 'the exhaust is very loud', 'I would like to trade in my old car'],
    ],
  },
];

/** ...and is measured on these, which its author never looked at. */
export const HELD_OUT: readonly Domain[] = [
  {
    name: 'hotel',
    phrases: [
      ...[
        'I want to book a room',
        'a double room',
        'a single room',
        'a room with a view',
        'two nights',
        'three guests',
      ],
      ...[
        'cancel my reservation',
        'change my reservation',
        'confirm my booking',
        'what time is check in',
        'late checkout',
      ],
      ...[
        'is breakfast included',
        'do you have a swimming pool',
        'airport shuttle',
        'can I bring my dog',
        'room service',
      ],
      ...[
        'is there parking',
        'I left something in my room',
        'conference room',
        'group rate',
        'the Lakeview Hotel',
        'sauna',
      ],
      ...[
        'extra bed',
        'wake up call',
        'housekeeping',
        'loyalty points',
        'penthouse suite',
        'gift voucher',
        'king size bed',
      ],
    ],
    wordings: [
      ...['do you still have a double room for tonight', 'I think I forgot my jacket in the room', 'are dogs allowed'],
      ...[
        'how much is a suite per night',
        'can we have an extra bed for the kids',
        'does the shuttle go to the airport',
      ],
      ...['I need to cancel the room I booked', 'when do we have to check out', 'is the sauna open in the evening'],
      ...[
        'how many loyalty points do I have',
        'we are a group of twelve guests',
        'send housekeeping to my room please',
      ],
    ],
  },
  {
    name: 'pizza',
    phrases: [
      ...[
        'I want to order a pizza',
        'a large pepperoni',
        'a medium margherita',
        'extra cheese',
        'no onions',
        'thin crust',
      ],
      ...[
        'gluten free',
        'garlic bread',
        'two bottles of water',
        'a side salad',
        'for delivery',
        'for pickup',
        'how long will it take',
      ],
      ...[
        'where is my food',
        'my pizza was cold',
        'you forgot the dip',
        'do you have vegan cheese',
        'the special of the day',
      ],
      ...[
        'pay with cash',
        'pay by card',
        'I have a coupon',
        'mushrooms',
        'olives',
        'jalapenos',
        'pineapple',
        'anchovies',
      ],
      ...["Tony's Pizza", 'buffalo wings', 'chicken nuggets', 'tiramisu', 'leave it at the door', 'ring the bell'],
    ],
    wordings: [
      ...['can I get a large margherita with mushrooms', 'my food still is not here', 'put olives on half of it'],
      ...['I would like that without onions', 'do you do gluten free pizza', 'we will pick it up ourselves'],
      ...[
        'add two garlic breads please',
        'I want to use a coupon',
        'the pizza you brought is cold',
        'a tiramisu for dessert',
      ],
      ...['can the driver leave it at the door', 'pepperoni and pineapple on a thin crust'],
    ],
  },
  {
    name: 'telephone',
    phrases: [
      ...[
        'my internet is down',
        'the internet is slow',
        'I have no signal',
        'reset my password',
        'I want to upgrade my plan',
      ],
      ...[
        'cancel my contract',
        'pay my bill',
        'my bill is too high',
        'when is my contract over',
        'I need a new router',
      ],
      ...['the modem light is red', 'a technician did not come', 'move my line to a new house', 'keep my phone number'],
      ...[
        'unlock my phone',
        'block a number',
        'roaming charges',
        'data package',
        'unlimited data',
        'prepaid card',
        'SIM card',
      ],
      ...[
        'fiber optic',
        'voicemail',
        'landline',
        'Northstar Mobile',
        'broadband',
        'set top box',
        'streaming',
        'outage',
      ],
    ],
    wordings: [
      ...[
        'since this morning my internet does not work',
        'why is the bill so high this month',
        'the router keeps blinking red',
      ],
      ...[
        'I want to end my contract with Northstar',
        'how much data do I have left',
        'is there an outage in my street',
      ],
      ...['can I take my phone number with me', 'nobody came to fix my landline', 'do I pay for roaming in Canada'],
      ...['I did not get my SIM card yet', 'turn off my voicemail', 'we would like fiber optic at home'],
    ],
  },
  {
    name: 'library',
    phrases: [
      ...[
        'renew my books',
        'reserve a book',
        'when is it due',
        'I lost my library card',
        'do I have a fine',
        'pay a late fee',
      ],
      ...[
        'become a member',
        'is the reading room open',
        'book a study room',
        'audio books',
        "children's books",
        'story hour',
      ],
      ...[
        'can I borrow a laptop',
        'return a book',
        'the book drop',
        'inter library loan',
        'large print',
        'photocopier',
      ],
      ...[
        'local history',
        'magazines',
        'newspapers',
        'poetry evening',
        'summer reading club',
        'Riverside Library',
        'e reader',
      ],
    ],
    wordings: [
      ...['I need to renew three books', 'how much is the late fee', 'is there a story hour for small children'],
      ...['can you hold a book for me', 'I cannot find my library card', 'which audio books do you have'],
      ...['is the photocopier working again', 'what does it cost to become a member', 'may I borrow magazines too'],
      ...['when does the summer reading club start', 'get me a study room for tomorrow', 'my book was due last week'],
    ],
  },
];

/** What callers of no agent in particular say: nothing in it is in a vocabulary. */
export const UNEXPECTED: readonly string[] = [
  ...['the weather was lovely last weekend', 'my sister is a teacher in Boston', 'he plays the violin every evening'],
  ...[
    'did you see the game last night',
    'the moon is very bright tonight',
    'we painted the fence green',
    'not on Tuesdays',
  ],
  ...[
    'I never liked spinach',
    'turn left at the lighthouse',
    'the baby is finally asleep',
    'there was ice on the river',
  ],
  ...[
    'my grandmother came from Poland',
    'they are building a bridge',
    'that film was far too long',
    'it smells like smoke',
  ],
  ...[
    'the museum has a new director',
    'she runs a marathon each spring',
    'I am learning to knit',
    'our neighbors are noisy',
  ],
  ...[
    'the train to Chicago was crowded',
    'he forgot his umbrella',
    'let us meet by the fountain',
    'a penny for your thoughts',
  ],
  ...['the soup needs more salt', 'please water the plants', 'somebody knocked on the window', 'the lamp is too dim'],
  ...[
    'I dreamt about a white horse',
    'our choir sings on Thursdays',
    'the squirrel took the nuts',
    'a storm is coming',
  ],
  ...[
    'the apples are ripe',
    'what a strange story',
    'they moved to Denver in May',
    'his beard has grown grey',
    'over the hill',
  ],
  ...[
    'can fish hear music',
    'the clock stopped at noon',
    'pass me the scissors',
    'I would rather walk',
    'two of them are twins',
  ],
  ...[
    'the kettle is boiling',
    'who wrote that poem',
    'it rained for nine days',
    'the desert is cold at night',
    'blue suits you',
  ],
];
