"""The words of what the public is told beside the register: titles, and French."""

from __future__ import annotations

OPT_OUT = "Say no, or ask what is held about you"
ACCESSIBILITY = "Accessibility"

FRENCH_STATEMENTS = {
    "Ways on": "Navigation",
    "Skip to the content": "Aller au contenu",
    "Public register of {name}": "Registre public de {name}",
    "About these pages": "À propos de ces pages",
    OPT_OUT: "S'opposer, ou demander ce qui est détenu sur vous",
    ACCESSIBILITY: "Accessibilité",
    "You may say at any time that your health data are not to be used for other purposes than your care. You need "
    "no reason, and your care does not change. You can take it back at any time.": (
        "Vous pouvez vous opposer à tout moment à ce que vos données de santé servent à autre chose qu'à vos soins. "
        "Vous n'avez pas à donner de raison, et vos soins ne changent pas. Vous pouvez revenir sur votre choix à tout "
        "moment."
    ),
    "Do not write who you are to this site.": "N'indiquez pas à ce site qui vous êtes.",
    "The enclosure knows no names and must learn none: there is no form here, and nothing that you could send is "
    "kept. You go to a desk that knows you anyway; it passes on a pseudonym, never your name.": (
        "L'enclos ne connaît aucun nom et ne doit en apprendre aucun : il n'y a pas de formulaire ici, et rien de ce "
        "que vous pourriez envoyer n'est conservé. Adressez-vous à un guichet qui vous connaît déjà ; il transmet un "
        "pseudonyme, jamais votre nom."
    ),
    "Where to say no": "Où s'opposer",
    "Go to the desk of those who gave your data. One is enough: where several gave records of yours that were "
    "found to be one person's, the objection holds for all of them.": (
        "Adressez-vous au guichet d'un organisme qui a fourni vos données. Un seul suffit : si plusieurs en ont "
        "fourni et qu'elles ont été reconnues comme celles d'une même personne, l'opposition vaut pour toutes."
    ),
    "Go to those who gave your data. One is enough: where several gave records of yours that were found to be one "
    "person's, the objection holds for all of them.": (
        "Adressez-vous à un organisme qui a fourni vos données. Un seul suffit : si plusieurs en ont fourni et "
        "qu'elles ont été reconnues comme celles d'une même personne, l'opposition vaut pour toutes."
    ),
    "Desks by source of data": "Guichets par source de données",
    "Source": "Source",
    "Desk": "Guichet",
    "Where": "Où",
    "If a hospital that treated you takes part: ask its data protection officer, or its desk for patients.": (
        "Si un hôpital qui vous a soigné participe : adressez-vous à son délégué à la protection des données, ou à "
        "son accueil des patients."
    ),
    "For data of the health insurance (SNDS): ask your health insurance fund; objections reach this enclosure by "
    "the national circuit of pseudonyms.": (
        "Pour les données de l'assurance maladie (SNDS) : adressez-vous à votre caisse ; les oppositions parviennent "
        "à cet enclos par le circuit national de pseudonymes."
    ),
    "Those who run this enclosure have not named the desks here yet.": (
        "L'exploitant de cet enclos n'a pas encore indiqué les guichets ici."
    ),
    "What happens then": "Ce qui se passe ensuite",
    "The desk proves that you are you, as it does for your care, and sends your pseudonym by a closed channel.": (
        "Le guichet vérifie votre identité, comme pour vos soins, et transmet votre pseudonyme par un canal protégé."
    ),
    "The enclosure records the objection with its day and gives a receipt: a random number that says nothing about "
    "you. Keep it.": (
        "L'enclos enregistre l'opposition avec sa date et donne un reçu : un nombre tiré au hasard qui ne dit rien "
        "de vous. Gardez-le."
    ),
    "From the next question on, also in a study that is running, permits that follow objections no longer see you. "
    "Whoever works with the data sees neither a gap nor a count.": (
        "Dès la requête suivante, même dans une étude en cours, les autorisations qui suivent les oppositions ne vous "
        "voient plus. Ceux qui travaillent sur les données ne voient ni manque ni décompte."
    ),
    "Data that are delivered later are covered too.": "Les données livrées plus tard sont couvertes aussi.",
    "What an objection does not reach": "Ce sur quoi une opposition est sans effet",
    "Results that have left already: they are numbers about many people, and cannot be called back.": (
        "Les résultats déjà sortis : ce sont des nombres qui portent sur beaucoup de personnes, et ils ne peuvent "
        "être rappelés."
    ),
    "Permits under which the law lets data be used all the same, in the public interest (Regulation (EU) 2025/327, "
    "Art. 71(4)). Of {n} permits that are not over, these: {permits}.": (
        "Les autorisations pour lesquelles la loi permet l'utilisation malgré tout, dans l'intérêt public (règlement "
        "(UE) 2025/327, art. 71(4)). Sur {n} {n:autorisation|autorisations} en cours : {permits}."
    ),
    "Permits under which the law lets data be used all the same, in the public interest (Regulation (EU) 2025/327, "
    "Art. 71(4)). Of {n} permits that are not over, none.": (
        "Les autorisations pour lesquelles la loi permet l'utilisation malgré tout, dans l'intérêt public (règlement "
        "(UE) 2025/327, art. 71(4)). Sur {n} {n:autorisation|autorisations} en cours : aucune."
    ),
    "Permits that count objections as of the day when they were opened: one that comes later holds from the next "
    "opening.": (
        "Les autorisations qui retiennent les oppositions à la date de leur ouverture : une opposition plus tardive "
        "vaut dès l'ouverture suivante."
    ),
    "Your care and what your hospital and your health insurance keep for it.": (
        "Vos soins, et ce que votre hôpital et votre assurance maladie conservent pour eux."
    ),
    "Take it back": "Revenir sur votre choix",
    "Give your receipt to the same desk, or come again. The pseudonym is then deleted; the days stay, so that it "
    "can be seen that your wish was followed.": (
        "Donnez votre reçu au même guichet, ou revenez-y. Le pseudonyme est alors effacé ; les dates restent, pour "
        "que l'on voie que votre volonté a été suivie."
    ),
    "Ask what is held about you": "Demander ce qui est détenu sur vous",
    "The same desks ask for you: am I in, and which projects used my data? The question travels sealed; the answer "
    "is sealed to the desk and says, with proofs from the ledger:": (
        "Les mêmes guichets demandent pour vous : mes données y sont-elles, et quels projets les ont utilisées ? La "
        "question voyage scellée ; la réponse est scellée pour le guichet et indique, avec les preuves du journal :"
    ),
    "whether an objection of yours stands;": "si une opposition de votre part est en vigueur ;",
    "each permit whose data have you in: what for, who, since when, how it was used, what left;": (
        "chaque autorisation dont les données vous comprennent : à quelle fin, par qui, depuis quand, quel usage, ce "
        "qui en est sorti ;"
    ),
    "what nobody can say: whether a certain count took you in, and what happened to data before they came here.": (
        "ce que personne ne peut dire : si tel décompte vous a compris, et ce qui est arrivé aux données avant d'être "
        "ici."
    ),
    "The answer holds no record of your health, but what a project is about can let the desk guess at an illness. "
    "The enclosure does not learn who asked.": (
        "La réponse ne contient aucune donnée sur votre santé, mais le sujet d'un projet peut laisser deviner une "
        "maladie au guichet. L'enclos n'apprend pas qui a demandé."
    ),
    "If you do not agree": "Si vous n'êtes pas d'accord",
    "Those who run this enclosure:": "L'exploitant de cet enclos :",
    "You may complain to the data protection authority of your country (Regulation (EU) 2016/679, Art. 77); in "
    "France, the CNIL:": (
        "Vous pouvez introduire une réclamation auprès de l'autorité de protection des données de votre pays (RGPD, "
        "art. 77) ; en France, la CNIL :"
    ),
    "For what the data are used, and by whom, is in the register.": (
        "L'usage qui est fait des données, et par qui, se lit dans le registre public."
    ),
    "These pages are made to be used by everybody: with a keyboard, a screen reader, large print, a narrow screen, "
    "in the dark, and without JavaScript. The measure is WCAG 2.2, level AA.": (
        "Ces pages sont faites pour toutes et tous : au clavier, avec un lecteur d'écran, en gros caractères, sur un "
        "écran étroit, en mode sombre et sans JavaScript. La référence est WCAG 2.2, niveau AA."
    ),
    "How far that is known": "Ce que l'on en sait",
    "Partly: nobody from outside has audited these pages. No state of conformance is claimed; below stands what "
    "was tested and what was not.": (
        "En partie : personne d'extérieur n'a audité ces pages. Aucun état de conformité n'est déclaré ; voici ce qui "
        "a été testé et ce qui ne l'a pas été."
    ),
    "Tested by a program at every change": "Testé par un programme à chaque changement",
    "The register and the pages of this kind: language, landmarks, one main heading and headings in order, a skip "
    "link, names of links and buttons, headers of tables.": (
        "Le registre public et les pages de ce genre : langue, régions, un titre principal et des titres dans "
        "l'ordre, un lien d'évitement, noms des liens et des boutons, en-têtes des tableaux."
    ),
    "Contrast of texts (4.5 to 1) and of the mark of focus (3 to 1), in light and in dark.": (
        "Contraste des textes (4,5 pour 1) et de la marque du focus (3 pour 1), en clair et en sombre."
    ),
    "Every text of the pages is in French and in English; what stays English on French pages is named below.": (
        "Chaque texte des pages existe en français et en anglais ; ce qui reste en anglais sur les pages françaises "
        "est nommé plus bas."
    ),
    "Looked at by those who built them": "Examiné par leurs auteurs",
    "In Chromium, 390 to 1600 points wide, in both languages, in light and in dark.": (
        "Dans Chromium, de 390 à 1600 points de large, dans les deux langues, en clair et en sombre."
    ),
    "The pages of those who sign in: no text without French, nothing that runs past the policy, one main heading.": (
        "Les pages des personnes connectées : aucun texte sans français, rien qui s'exécute hors de la politique de "
        "sécurité, un seul titre principal."
    ),
    "With axe-core, at every change of the program, on every page in light and dark: what it finds is mended before. "
    "So is a control that the key Tab does not reach, and a page wider than 390 pixels.": (
        "Avec axe-core, à chaque changement du programme, sur toutes les pages, en clair et en sombre : ce qu'il "
        "trouve est corrigé avant publication. De même pour un élément que la touche Tab n'atteint pas, ou une page "
        "plus large que 390 pixels."
    ),
    "Not tested": "Non testé",
    "With screen readers, with voice control, or in other browsers.": (
        "Avec des lecteurs d'écran, par commande vocale, ou dans d'autres navigateurs."
    ),
    "By people with disabilities.": "Par des personnes handicapées.",
    "What is known not to be accessible": "Ce que l'on sait ne pas être accessible",
    "Details of some refusals, and what a rule of release says of one result, stand in English on French pages, beside "
    "a French sentence with the rule; they are marked as English, so that screen readers say them rightly.": (
        "Le détail de certains refus, et ce qu'une règle de sortie dit d'un résultat particulier, sont en anglais sur "
        "les pages françaises, à côté d'une phrase française qui énonce la règle ; ils sont signalés comme anglais, "
        "pour que les lecteurs d'écran les prononcent bien."
    ),
    "Names and purposes of projects stand in the language in which they were given.": (
        "Les noms et les finalités des projets sont dans la langue où ils ont été rédigés."
    ),
    "Wide tables scroll sideways inside themselves on narrow screens.": (
        "Sur les écrans étroits, les tableaux larges défilent horizontalement."
    ),
    "The check of proofs in the register needs JavaScript; the same can be done with a program.": (
        "La vérification des preuves dans le registre public demande JavaScript ; un programme permet aussi de la "
        "faire."
    ),
    "Tell us": "Dites-le-nous",
    "If something keeps you from reading a page, write to:": (
        "Si quelque chose vous empêche de lire une page, écrivez à :"
    ),
    "Those who run this enclosure have not named here yet whom to write to.": (
        "L'exploitant de cet enclos n'a pas encore indiqué ici à qui écrire."
    ),
    "If you get no answer, in France the Défenseur des droits helps:": (
        "Sans réponse, en France, vous pouvez saisir le Défenseur des droits :"
    ),
}
