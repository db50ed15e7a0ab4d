#!/usr/bin/env python3
"""Callers answering an agent, made from templates: turns with the places where people pause in them.

  answers.py SPLIT COUNT SEED > rows.jsonl     endpointing rows; SPLIT is train or test (no template, name or item in both; the endings of domains are)

Every row also has `expected` (what was asked for), `category`, `turn` (rows of one turn share it) and `spoken`
(the words with apostrophes), so that the turn can be synthesised and recognised.
"""

import json
import random
import sys

ONES = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split()
ORDINALS += ["twenty " + o for o in ORDINALS[:9]] + ["thirtieth", "thirty first"]
MONTHS = "january february march april may june july august september october november december".split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
ALPHABET = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu".split()
LETTER_NAMES = "apple boy cat dog egg fox george henry island jack king lion mary nancy orange peter queen robert sam tom umbrella victory william x yellow zebra".split()

# "|" is a place where people pause and go on. {x} is filled in by `fill`.
LEXICON = {
    "train": {
        "first": "james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan joseph jessica thomas sarah charles karen christopher nancy daniel lisa matthew betty anthony margaret mark sandra steven kimberly priya ahmed wei fatima carlos ingrid pavel yuki".split(),
        "last": "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson patel kim nguyen okafor kowalski lindqvist".split(),
        "host": "gmail yahoo hotmail aol comcast icloud".split(),
        "tld": ["com"] * 8 + "net,org,edu,gov,co,io,us,ca,me,info,biz,de,fr,es,it,ie,nl,se,co dot uk,co dot uk,ac dot uk,org dot uk,com dot au,co dot nz,co dot in,com dot br".split(","),
        "handle": "sunny blue runner coffee star garden music happy jazz rocket".split(),
        "city": "boston denver chicago london paris seattle austin dallas madrid glasgow".split(),
        "item": "order,refund,delivery,account,booking,invoice,appointment,password,subscription,bill,phone,insurance policy,flight,credit card".split(","),
        "problem": "hasn't arrived yet,was charged twice,isn't working,came in the wrong size,is broken,was cancelled,never got here,won't turn on".split(","),
        "street": "oak maple washington church park main elm lake hill station".split(),
    },
    "test": {
        "first": "brian dorothy kevin amanda jason melissa jeffrey deborah ryan stephanie jacob rebecca gary laura nicholas cynthia eric kathleen jonathan amy omar mei aisha diego freya".split(),
        "last": "walker young allen king wright scott torres hill flores green adams nelson baker hall rivera campbell mitchell carter roberts gomez singh chen osei novak".split(),
        "host": "outlook protonmail verizon msn".split(),
        "tld": ["com", "net", "edu", "co dot nz"],
        "handle": "panda silver ocean tiger sparky maple".split(),
        "city": "houston phoenix dublin toronto atlanta leeds miami lisbon".split(),
        "item": "parcel,contract,reservation,statement,prescription,router,warranty,ticket,membership,direct debit,repair,loan".split(","),
        "problem": "turned up damaged,stopped working this morning,has the wrong name on it,was sent to my old address,keeps dropping out,is still missing,doesn't fit".split(","),
        "street": "willow victoria mill bridge cedar garden spring school".split(),
    },
}

# Kind of answer -> what the agent asks; and what callers say.
ASKS = {
    "train": {
        "yes-no": ["is that correct", "would you like me to go ahead", "do you have an account with us", "can i send it to the address on file", "is this the right number to reach you on", "did you receive the text message", "are you calling about your recent {item}", "shall i cancel the {item} for you", "i have {first} {last} is that right", "would you like anything else"],
        "digits10": ["what's the best phone number to reach you", "please tell me your ten digit account number", "could i have your mobile number starting with the area code", "what number are you calling about"],
        "digits4": ["what are the last four digits of your card", "please say your four digit pin", "and the last four of your social"],
        "digits6": ["please read me the six digit code we just sent you", "what's your order number it has six digits", "may i have the six digit reference"],
        "digits8": ["what's your eight digit customer number", "please tell me the meter number it has eight digits"],
        "digits5": ["what's your zip code", "and your five digit zip code please"],
        "digits16": ["please read me the long number on the front of your card", "what's the sixteen digit card number"],
        "digitsx": ["what's your order number", "can i have your reference number please", "please give me the tracking number"],
        "spelling": ["could you spell that for me", "how do you spell your last name", "can you spell the name on the account letter by letter", "please spell the street for me"],
        "email": ["what's your email address", "which email should i send it to", "could you tell me the email on the account"],
        "name": ["may i have your name please", "who am i speaking with", "what's the name on the {item}", "can i take your full name"],
        "date": ["what's your date of birth", "what day would you like to come in", "when did you place the {item}", "which date works for you"],
        "open": ["how can i help you today", "thanks for calling what can i do for you", "what seems to be the problem", "tell me what happened", "hello how may i direct your call", "is there anything else i can help with", "can you tell me a bit more about that"],
        "address": ["what's your address please", "where should we deliver it", "can you confirm the first line of your address"],
    },
    "test": {
        "yes-no": ["does that sound right", "should i book that for you", "have you spoken with us before", "can you see it in front of you now", "is it still under warranty", "so that's {first} {last} yes", "do you want me to keep the {item} open"],
        "digits10": ["may i take a contact number for you", "what's the telephone number for the account area code first", "which phone number should we call you back on"],
        "digits4": ["can you confirm the final four digits of the card", "what's your four digit passcode"],
        "digits6": ["there's a six digit number on the email could you read it out", "what is the verification code we texted you it's six digits"],
        "digits8": ["could you give me your policy number that's eight digits", "i need the eight digit number on your letter"],
        "digits5": ["can i get the zip code for that address", "what is your billing zip"],
        "digits16": ["i'll take the full card number whenever you're ready", "could you read out all sixteen digits of the card"],
        "digitsx": ["do you have the case number there", "tell me your {item} number"],
        "spelling": ["would you mind spelling it", "can i have the spelling of your surname", "spell it out for me please one letter at a time"],
        "email": ["what email can we reach you at", "let me take your email please", "and the email address for the receipt"],
        "name": ["can i ask who's calling", "and your first and last name", "whose name is the {item} under"],
        "date": ["when were you born", "what date should i put you down for", "do you remember when you bought it"],
        "open": ["what are you calling about today", "good morning what do you need help with", "how can i assist", "okay what's going on with it", "what else can i do for you", "could you explain the issue for me"],
        "address": ["what address should i use", "could you give me your home address", "which address is it going to"],
    },
}

SAYS = {
    "train": {
        "yes-no": ["yes", "yeah", "no", "nope", "yep", "sure", "yes please", "no thanks", "no thank you", "that's right", "that's correct", "yes it is", "no it isn't", "yeah that's fine", "okay", "of course", "i don't think so", "yes i do", "no i don't", "um | yes", "uh | no", "well | i think so", "yeah | go ahead", "no | actually | that's the old one", "yes but | i moved last year", "no it's {first} | with a {letter}", "yes | {open}", "no | {open}", "right", "correct", "absolutely", "not really", "i'm not sure", "yes that would be great", "hmm | i guess so", "yeah um | can you send it to my work instead", "no because | the {item} {problem}", "yes and | i also need a new {item}", "oh yes | sorry yes"],
        "digits": ["{digits}", "{digits}", "{digits}", "it's | {digits}", "it is {digits}", "yes it's {digits}", "um | {digits}", "sure | {digits}", "okay so | it's {digits}", "{digits} | and that's it", "my number is {digits}", "that's {digits}", "the number is | {digits}", "uh {digits}", "okay | {digits}", "{hold} | {digits}", "{hold} | okay it's {digits}", "i don't have it with me", "i don't know it"],
        "spelling": ["{spelled}", "{spelled}", "{spelled}", "it's {spelled}", "sure | {spelled}", "yes {spelled}", "{last} | {spelledlast}", "that's {spelled}", "um {spelled}", "{phonetic}", "{phonetic}", "it's {phonetic}"],
        "email": ["{email}", "{email}", "{email}", "it's {email}", "it's | {email}", "sure it's {email}", "my email is | {email}", "um {email}", "yeah that's {email}", "{hold} | it's {email}", "the same one | {email}", "you can use | {email}"],
        "name": ["{first} {last}", "{first}", "my name is {first} {last}", "my name is | {first} {last}", "this is {first} {last}", "it's {first} | {last}", "{first} | {last}", "i'm {first}", "it's under | {first} {last}", "it should be under my husband's name | {first} {last}", "{last} | {first} {last}", "uh {first} {last}", "the name is {first} {last} | that's {spelledlast}", "yes | {first} {last}"],
        "date": ["{date}", "{date}", "it's {date}", "um | {date}", "{date} please", "i was born on | {date}", "maybe {weekday}", "{weekday} | or {weekday} afternoon", "next {weekday} if possible", "how about {weekday} | around {hour}", "{weekday} at | {hour}", "any day | except {weekday}", "let me think | {date}", "the {ordinal} | of {month}", "{hold} | {date}", "it was | last {weekday} i think", "as soon as possible"],
        "open": ["{open}", "{open}", "{open}", "hi | {open}", "hi {open}", "hello um | {open}", "yes hello | {open}", "{open} | {more}", "{open} | {more}", "um {open}", "yeah so | {open}", "hi my name is {first} {last} | and {open}", "hi this is {first} | {open}", "nothing else thanks", "no that's all", "that's it thank you", "i just wanted to | {open}"],
        "address": ["{address}", "it's {address}", "yes | {address}", "sure it's | {address}", "{address}", "the same as before", "{hold} | {address}"],
    },
    "test": {
        "yes-no": ["yes", "no", "yeah", "uh huh", "yup", "nah", "sounds good", "yes it does", "that's not right", "no that's wrong", "please do", "yeah okay", "i believe so", "no not yet", "sure thing", "er | yes", "um | no", "well | yes and no", "yeah | but | can you check the {item} first", "no | it's the other one", "yes if | it doesn't cost anything", "no i never got | the {item}", "that's fine", "i suppose", "yes | {open}", "uh | let me see | yes"],
        "digits": ["{digits}", "{digits}", "{digits}", "okay it's {digits}", "yeah it's | {digits}", "er | {digits}", "right | {digits}", "so that would be {digits}", "it says | {digits}", "alright | {digits}", "{hold} | {digits}", "{hold} | right it's {digits}", "sorry i can't find it", "{digits} | i think"],
        "spelling": ["{spelled}", "{spelled}", "yeah it's {spelled}", "okay | {spelled}", "er {spelled}", "{last} so | {spelledlast}", "{phonetic}", "that would be | {phonetic}"],
        "email": ["{email}", "{email}", "yes it's {email}", "okay so | {email}", "it would be | {email}", "er {email}", "{hold} | {email}", "send it to | {email}", "my address is {email}"],
        "name": ["{first} {last}", "{first}", "it's {first} {last}", "i'm called | {first} {last}", "you're speaking to {first}", "{first} | {last}", "er {first} {last}", "it'll be under | {last}", "that's my wife's name | {first} {last}", "name's {first} {last}"],
        "date": ["{date}", "{date}", "that's {date}", "er | {date}", "could we do | {weekday}", "{weekday} would be best", "{weekday} morning | about {hour}", "on the {ordinal} | of {month}", "i think it was | {date}", "{hold} | it was {date}", "sometime next week"],
        "open": ["{open}", "{open}", "good morning | {open}", "er yeah | {open}", "{open} | {more}", "{open} | {more}", "okay so | {open}", "hi there {open}", "hello it's {first} {last} here | {open}", "no thanks that's everything", "i was hoping | {open}", "that's great thank you"],
        "address": ["{address}", "it's {address}", "okay | {address}", "that would be | {address}", "{hold} | it's {address}"],
    },
}

OPEN = {
    "train": ["i'd like to | cancel my {item}", "i'd like to cancel my {item}", "i'm calling about my {item}", "i'm calling about | my {item} | it {problem}", "my {item} {problem}", "i want to check | the status of my {item}", "can you tell me | where my {item} is", "i need to change the | date of my {item}", "i have a question about | my {item}", "i was wondering if | you could help me with my {item}", "i ordered something last {weekday} and | it {problem}", "i'd like to speak to | someone about my {item}", "how do i | change my {item}", "i need help with my {item}", "i'm trying to | log in but | it says my {item} is locked", "could you send me a copy of | my {item}", "i want a refund for the {item} | because it {problem}", "what time do you open on {weekday}", "i'm moving to {city} and | i need to update my address", "i'd like to book | an appointment for {weekday}", "i want to talk to a person", "there's a charge on my {item} that | i don't recognize"],
    "test": ["i'd like to | return a {item}", "i'd like to talk about my {item}", "it's about | my {item} | which {problem}", "the {item} i bought {problem}", "i wanted to know | when my {item} is coming", "could you | help me find my {item}", "i need to move my | {item} to {weekday}", "somebody called me about | my {item}", "i got a letter saying | my {item} is overdue", "i need to speak with | a manager please", "where can i | see my {item}", "i've been waiting since {weekday} for | a {item}", "would it be possible to | change the name on my {item}", "i think i was | overcharged for my {item}", "i need a new {item}", "how much does it cost to | ship a {item} to {city}", "how late are you open | on {weekday}"],
}
MORE = {
    "train": ["can you help me with that", "i've already called twice", "it was supposed to come on {weekday}", "my order number is {digits}", "the name is {first} {last}", "what should i do", "i paid by card", "i'd like my money back please", "and i also want to | change my {item}"],
    "test": ["is that something you can do", "i'm not very happy about it", "this has been going on since {weekday}", "the number is {digits}", "could you look into that for me", "i need it by {weekday}", "and while i'm here | i have a question about my {item}"],
}
HOLD = {
    "train": ["hold on", "let me check", "one second", "just a moment", "wait let me get it", "hang on a second", "let me look it up", "give me a minute", "um let me find it", "okay let me see", "one moment please"],
    "test": ["hang on", "let me have a look", "just a second", "bear with me", "i'll just get it", "let me grab my card", "wait a minute", "let me think"],
}
FILLERS = ["um", "uh", "er", "uh", "um"]


class Maker:
    def __init__(self, split, seed):
        self.split = split
        self.rng = random.Random(f"{split}-{seed}")
        self.length = 0

    def pick(self, values):
        return self.rng.choice(values)

    def chance(self, p):
        return self.rng.random() < p

    def fill(self, template):
        while "{" in template:
            at = template.index("{")
            end = template.index("}", at)
            template = template[:at] + self.slot(template[at + 1 : end]) + template[end + 1 :]
        return template

    def slot(self, name):
        lexicon = LEXICON[self.split]
        if name in lexicon:
            return self.pick(lexicon[name])
        if name == "open":
            return self.pick(OPEN[self.split])
        if name == "more":
            return self.pick(MORE[self.split])
        if name == "hold":
            return self.pick(HOLD[self.split])
        return getattr(self, "slot_" + name)()

    def slot_letter(self):
        return self.pick("abcdefghijklmnopqrstuvwxyz")

    def slot_month(self):
        return self.pick(MONTHS)

    def slot_weekday(self):
        return self.pick(WEEKDAYS)

    def slot_ordinal(self):
        return self.pick(ORDINALS)

    def slot_hour(self):
        hour = self.pick(ONES[1:] + TEENS[:3])
        return hour + self.pick(["", " o'clock", " thirty", " in the morning", " pm", " am"])

    def slot_digits(self):
        """A number in the groups in which people say it; they pause between groups more often than not."""
        left = self.length or self.pick([5, 6, 7, 8, 9, 10])
        groups = []
        sizes = {10: [3, 3, 4], 16: [4, 4, 4, 4], 6: self.pick([[3, 3], [2, 2, 2]]), 8: [4, 4], 5: [5], 4: self.pick([[4], [2, 2]])}
        plan = sizes.get(left) if self.chance(0.75) else None
        while left:
            size = plan.pop(0) if plan else min(left, self.rng.randint(1, 4))
            groups.append(self.group(size))
            left -= size
        pausing = self.pick([0.1, 0.6, 0.9])
        text = groups[0]
        for group in groups[1:]:
            joint = " | " if self.chance(pausing) else " "
            if joint == " | " and self.chance(0.12):
                joint = f" | {self.pick(FILLERS)} "
            text += joint + group
        return text

    def group(self, size):
        if size == 2 and self.chance(0.3):
            pair = self.rng.randint(10, 99)
            return TEENS[pair - 10] if pair < 20 else TENS[pair // 10 - 2] + (f" {ONES[pair % 10]}" if pair % 10 else "")
        digits = [self.rng.randint(0, 9) for _ in range(size)]
        if size > 1 and self.chance(0.15):
            digits[-1] = digits[-2]
        out = []
        at = 0
        say_oh = self.chance(0.5)
        while at < size:
            name = "oh" if digits[at] == 0 and say_oh else ONES[digits[at]]
            if at + 1 < size and digits[at + 1] == digits[at] and self.chance(0.5):
                out += ["double", name]
                at += 2
            else:
                out.append(name)
                at += 1
        return " ".join(out)

    def letters(self, word, pausing):
        parts = []
        at = 0
        while at < len(word):
            twice = word[at : at + 2] == word[at] * 2 and self.chance(0.5)
            parts.append(f"double {word[at]}" if twice else word[at])
            at += 2 if twice else 1
        out = parts[0]
        for part in parts[1:]:
            out += (" | " if self.chance(pausing) else " ") + part
        return out

    def slot_spelled(self):
        lexicon = LEXICON[self.split]
        return self.letters(self.pick(lexicon["last"] + lexicon["first"] + lexicon["street"]), self.pick([0.0, 0.15, 0.35]))

    def slot_spelledlast(self):
        return self.letters(self.pick(LEXICON[self.split]["last"]), self.pick([0.0, 0.15, 0.35]))

    def slot_phonetic(self):
        word = self.pick(LEXICON[self.split]["last"])
        names = self.pick([ALPHABET, LETTER_NAMES])
        joint = self.pick([" as in ", " for ", " "])
        parts = []
        for letter in word:
            name = names[ord(letter) - 97]
            parts.append(name if joint == " " else letter + joint + name)
        out = parts[0]
        for part in parts[1:]:
            out += (" | " if self.chance(0.35) else " ") + part
        return out

    def slot_email(self):
        lexicon = LEXICON[self.split]
        first, last = self.pick(lexicon["first"]), self.pick(lexicon["last"])
        handle = self.pick([first + " dot " + last, first + last, first + " underscore " + last, first[0] + last, self.pick(lexicon["handle"]) + first, first + " | " + self.pick(["", "dot "]) + last, self.letters(first, 0.15), self.letters(last, 0.1), first + " dash " + last])
        if self.chance(0.35):
            handle += self.pick([" ", " | "]) + self.group(self.pick([1, 2, 2, 3, 4]))
        host = self.pick(lexicon["host"] + [self.pick(lexicon["last"]) + self.pick(lexicon["handle"])])
        return handle + self.pick([" at ", " | at ", " at | ", " at "]) + host + self.pick([" dot ", " dot ", " | dot "]) + self.pick(lexicon["tld"])

    def slot_date(self):
        day, month = self.pick(ORDINALS), self.pick(MONTHS)
        year = self.pick(["nineteen", "nineteen", "twenty"]) + " " + self.pick(TENS) + " " + self.pick(ONES[1:])
        return self.pick([f"{month} {day}", f"{month} {day} {year}", f"{month} {day} | {year}", f"the {day} of {month} {year}", f"the {day} of | {month}", f"{day} {month} {year}", f"{month} | {day} | {year}", f"{self.pick(ONES[1:])} {self.pick(TEENS)} {year}", f"{month} the {day}"])

    def slot_address(self):
        lexicon = LEXICON[self.split]
        number = self.group(self.pick([1, 2, 3, 3, 4]))
        kind = self.pick(["street", "avenue", "road", "lane", "drive"])
        text = f"{number} {self.pick(lexicon['street'])} {kind}"
        if self.chance(0.3):
            text += self.pick([" | ", " "]) + "apartment " + self.pick([self.group(1), self.slot_letter(), self.group(2)])
        if self.chance(0.7):
            text += self.pick([" | ", " | ", " in "]) + self.pick(lexicon["city"])
        return text

    def turn(self):
        """(category, agent, expected, words, indices of words after which the caller pauses and goes on)"""
        asks = ASKS[self.split]
        ask = self.pick(["yes-no", "yes-no", "digits10", "digits4", "digits6", "digits8", "digits5", "digits16", "digitsx", "digitsx", "spelling", "spelling", "email", "email", "name", "date", "open", "open", "open", "address"])
        category = "digits" if ask.startswith("digits") else ask
        kind = "open" if ask == "address" else category
        self.length = int(ask[6:]) if ask[6:].isdigit() and category == "digits" else 0
        expected = {"kind": kind}
        if self.length and self.chance(0.6):
            expected["length"] = self.length
        agent = self.fill(self.pick(asks[ask]))
        says = SAYS[self.split][category]
        if kind not in ("open", "yes-no") and self.chance(0.05):
            says = SAYS[self.split]["open"]
        text = self.fill(self.pick(says))
        if self.chance(0.1):
            text = self.pick(FILLERS) + self.pick([" ", " | "]) + text
        words, holds = [], []
        for part in text.split():
            if part == "|":
                if words and self.chance(0.85):
                    holds.append(len(words) - 1)
                    if self.chance(0.12):
                        words.append(self.pick(FILLERS))
                        holds.append(len(words) - 1)
            else:
                words.append(part)
        return category, agent, expected, words, holds

    def pause(self, text):
        """Seconds; people who look something up take longer."""
        longer = any(text.endswith(hold) for hold in HOLD[self.split])
        return round(min(4.9, max(0.2, self.rng.lognormvariate(0.7 if longer else -0.6, 0.55))), 3)

    def rows(self, number):
        category, agent, expected, words, holds = self.turn()
        bare = lambda text: text.replace("'", "")
        common = {"conversation": f"answers-{self.split}", "turn": number, "category": category, "expected": expected, "agent": bare(agent)}
        for at in holds:
            text = " ".join(words[: at + 1])
            yield {**common, "text": bare(text), "spoken": text, "end": 0, "pause": self.pause(text), "mid": True}
        text = " ".join(words)
        yield {**common, "text": bare(text), "spoken": text, "end": 1, "pause": round(self.rng.uniform(0.1, 0.9), 3), "mid": False}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in LEXICON:
        sys.exit(__doc__)
    maker = Maker(sys.argv[1], int(sys.argv[3]))
    for number in range(int(sys.argv[2])):
        for row in maker.rows(number):
            print(json.dumps(row))


if __name__ == "__main__":
    main()
