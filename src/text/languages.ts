/** What is recognised, understood and spoken, by BCP 47 tags: English, of any region. */
export const SPOKEN = /^en(-[A-Za-z0-9]{2,8})*$/;

/** What is wrong with any other. */
export const UNSPOKEN = 'is no language that Parley speaks: recognition and voice are English';
