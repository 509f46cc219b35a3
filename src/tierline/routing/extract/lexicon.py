"""The built-in words: what each family of them says about a request.

Whole words and phrases, lower case, matched in one pass together with the words of the spec. Only the stems that people write are here,
a few for each language; a language without words is judged by its form alone (length, lists, code, maths signs).
"""

from __future__ import annotations

from collections.abc import Mapping

from tierline.routing.extract.expected import UNITS


def _listed(text: str) -> tuple[str, ...]:
    """Words and phrases separated by commas."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


FAMILIES: Mapping[str, tuple[str, ...]] = {
    # kinds of work
    "reasoning": _listed(
        """
        prove, proof, derive, derivation, why does, why do, why is, why are, explain why, explain how, step by step, step-by-step,
        reason through, reasoning, think through, think carefully, analyze, analyse, analysis, evaluate, assess, suppose, hypothetically,
        respectively, consider the, trade-off, trade-offs, tradeoff, tradeoffs, justify, pros and cons, root cause, debug, diagnose,
        deduce, infer, optimize, optimise, optimal, calculate, compute, solve, determine, find the, verify, implications, what would
        happen, counterexample, critique, plan for, figure out, which is better, show that, beweise, beweis, begründe, analysiere,
        berechne, bewerte, schritt für schritt, warum, abwägen, löse, démontre, démontrer, prouve, prouver, calcule, pourquoi,
        étape par étape, évalue, résous, demuestra, analiza, calcula, por qué, paso a paso, evalúa, resuelve, dimostra, calcola,
        analizza, passo dopo passo, 证明, 分析, 推导, 计算, 为什么, 一步一步, 逐步, 评估, 求解, 推理, 証明, 分析して, 計算して,
        なぜ, 段階的に, 評価して, 理由を, 증명, 분석, 계산, 단계별, докажи, доказать, докажите, проанализируй, проанализируйте,
        почему, вычисли, рассчитай, шаг за шагом, оцени, реши
        """
    ),
    "synthesis": _listed(
        """
        summarize, summarise, summary, summaries, synthesize, synthesise, based on the, according to the, given the following,
        from the documents, using the context, in the context below, tl;dr, key points, main points, takeaways, literature review,
        compare and contrast, use only the, sources, cite, citations, passage, article below, fasse zusammen, zusammenfassung,
        zusammenfassen, anhand der, résume, résumer, résumé, d'après, resume, resumen, según el, según los, riassumi, 总结, 概括,
        摘要, 根据以下, 要約, まとめて, に基づいて, 요약, резюмируй, обобщи, кратко изложи, на основе
        """
    ),
    "generation": _listed(
        """
        write, draft, compose, generate, create, rewrite, rephrase, paraphrase, translate, brainstorm, come up with, design,
        implement, develop, build, suggest, make me, make a, poem, essay, tagline, slogan,
        schreibe, schreib, verfasse, erstelle, übersetze, entwirf, écris, écrire, rédige, traduis, crée, escribe,
        redacta, traduce, crea, scrivi, traduci, 写, 写一, 生成, 翻译, 创作, 撰写, 設計, 设计, 書いて, 作成して, 翻訳, 써줘, 작성,
        번역, напиши, напишите, переведи, создай, составь
        """
    ),
    "classification": _listed(
        """
        classify, classification, categorize, categorise, which category, which of the following categories, label, labels,
        sentiment, is this spam, yes or no, true or false, positive or negative, answer yes, respond with yes,
        one of the following, choose one, pick one, intent, urgent or, rate the, answer with the letter, triage, route this,
        detect whether, decide whether, klassifiziere, kategorisiere, ja oder nein, stimmung, classe, classer, catégorise,
        catégorie, oui ou non, clasifica, categoriza, sí o no, sentimiento, classifica, 分类, 是或否, 情感, 类别, 分類,
        はいかいいえ, 分類して, 감정, 분류, классифицируй, категория, да или нет, тональность
        """
    ),
    "extraction": _listed(
        """
        extract, extraction, pull out, list all, list the names, find all, identify all, parse, return the fields,
        fill in the fields, named entities, entities, key-value, as json, in json, into json, to json, convert to csv, extrahiere,
        extrahieren, entnimm, liste alle, extrais, extraire, liste tous, extrae, extraer, lista todos, estrai, 提取, 抽取,
        列出所有, 抽出, 抽出して, 추출, извлеки, извлечь, выдели все, перечисли все
        """
    ),
    # what makes a request hard
    "proof": _listed(
        """
        prove, proof, disprove, derive, derivation, show that, by induction, contradiction, counterexample, if and only if, infinitely many,
        rigorous, rigorously, formally, lemma, corollary, axiom, axioms, beweise, beweis, widerlege, démontre, démontrer, prouve, prouver,
        demuestra, dimostra, 证明, 推导, 反例, 証明, 導出, 증명, 유도, докажи, доказать, докажите, выведи
        """
    ),
    "maths": _listed(
        """
        integral, integrate, derivative, differential, equation, equations, theorem, lemma, probability, expected value, matrix,
        matrices, eigenvalue, eigenvalues, polynomial, polynomials, vector space, real numbers, integer, integers, prime, primes, modulo,
        remainder, divisible, triangle, circle, radius, angle, perimeter, hypotenuse, perpendicular, coordinate, coordinates,
        converges, limit of, function f, sum of, product of, square root, logarithm, factorial, combinatorics,
        permutations, combinations, roots, complex number, complex numbers, topology, subgroup, isomorphic,
        finite field, vertices, velocity, acceleration, voltage, momentum, enthalpy, entropy, equilibrium,
        wavelength, fraction, diameter, coefficient, numerator, denominator, mean and, variance, standard deviation, quantum, hamiltonian,
        gleichung, ableitung, wahrscheinlichkeit, satz, équation, dérivée, probabilité, théorème, ecuación, derivada, probabilidad,
        teorema, 方程, 概率, 积分, 矩阵, 定理, 函数, 整数, 方程式, 確率, 積分, 行列, 방정식, 확률, 적분, уравнение, вероятность, интеграл,
        матрица, теорема
        """
    ),
    "technical": _listed(
        """
        python, javascript, typescript, java, c++, c#, rust, golang, haskell, kotlin, swift, php, ruby, bash, powershell, sql, postgres,
        postgresql, mysql, mongodb, redis, regex, html, css, react, vue, angular, django, flask, pytorch, tensorflow, numpy, pandas,
        scikit-learn, docker, terraform, aws, azure, linux, kernel, api, rest api, graphql, json schema, function that, function to,
        method, class, array, pointer, thread, threads, async, recursion, recursive, query, database, schema, index, server, client,
        endpoint, webhook, compile, stack trace, exception, memory leak, unit test, integration test, ci/cd, git, script that, script to,
        program that, program to, code, programming, software, firmware, embedded, driver, dataset, regression, classifier, gradient,
        embedding, embeddings, molecule, molecular, molecules, atom, atoms, mole, moles, reaction, compound, compounds, acid, spectrum,
        catalyst, particle, particles, density, magnetic, electric field, capacitor, resistor, circuit, torque, viscosity, heat transfer,
        pressure, adiabatic, fluid, reactor, genome, protein, enzyme, defendant, plaintiff, statute, jurisdiction, liability, tort,
        attorney, constitutional, bond, portfolio, derivatives, elasticity, monetary, programm, datenbank, skript, programme, code source,
        base de données, programa, código, base de datos, programma, 代码, 编程, 数据库, 函数, 接口, 程序, 脚本, コード, プログラム,
        データベース, 関数, 코드, 함수, 데이터베이스, 프로그램, код, программу, программа, функция, функцию, скрипт, базу данных
        """
    ),
    "quantity": _listed(
        """
        how many, how much, how long, how far, how old, what percentage, what is the total, in total, wie viele, wie viel, combien, cuántos,
        cuántas, cuánto, quanti, quante, quanto, 多少, 几个, いくつ, いくら, 何人, 몇, 얼마, сколько
        """
    ),
    "constraint": _listed(
        """
        must, must not, at least, at most, exactly, no more than, no less than, without, except, do not, don't, never, ensure,
        make sure, constraint, constraints, required, requirement, requirements, should not, avoid, only if, unless,
        provided that, such that, subject to, given that, assume, assuming, under the condition, limited to, not exceed,
        guarantee, invariant, backward compatible, backwards compatible, both, each of, muss, müssen, darf nicht, mindestens,
        höchstens, genau, ohne, außer, sofern, doit, ne doit pas, au moins, au plus, exactement, sans, sauf, debe, no debe,
        al menos, como máximo, exactamente, sin, excepto, deve, almeno, 必须, 不得, 至少, 最多, 不要, 除非, 确保, 假设, 必ず,
        少なくとも, 以内, ただし, しないで, 반드시, 최소, 이하, 이상, должен, не менее, не более, без, кроме, обязательно
        """
    ),
    "steps": _listed(
        """
        first, firstly, second, secondly, then, next, finally, after that, afterwards, followed by, in addition, also, as well as,
        part a, part b, phase, phases, stages, milestones, for each, steps, zuerst, danach, anschließend, schließlich, außerdem,
        d'abord, ensuite, puis, enfin, primero, luego, después, finalmente, además, 首先, 然后, 最后, 其次, 此外, まず, 次に,
        最後に, 먼저, 그다음, 마지막으로, сначала, затем, потом, наконец, также
        """
    ),
    "depth": _listed(
        """
        architecture, architect, system design, design a, design an, strategy, roadmap, framework, migration, migrate, refactor,
        scalable, scalability, distributed, concurrency, concurrent, race condition, deadlock, fault tolerant, fault tolerance,
        consistency, high availability, performance, latency, throughput, comprehensive, thorough, thoroughly, in depth, in-depth,
        in detail, detailed, exhaustive, rigorous, rigorously, end-to-end, end to end, production-ready, security, threat model,
        legal, contract, compliance, regulation, research, hypothesis, methodology, implement, implementation, algorithm,
        complexity, data structure, compare, contrast, evaluate, multi-tenant, novel, edge cases, edge case, unit tests,
        benchmark, simulation, simulate, machine learning, neural network, transformer, kubernetes, compiler, cryptography,
        protocol, state machine, business plan, architektur, strategie, ausführlich, detailliert, umfassend, vergleiche,
        architecture logicielle, stratégie, détaillé, approfondie, arquitectura, estrategia, detallado, exhaustivo, compara, 架构,
        策略, 详细, 全面, 分布式, 算法, 比较, 実装, 詳細, 設計, 戦略, 比較, アルゴリズム, 아키텍처, 전략, 자세히, 알고리즘, 비교,
        архитектура, архитектуру, стратегия, стратегию, подробно, алгоритм, сравни
        """
    ),
    # how long the answer is to be
    "brief": _listed(
        """
        briefly, in brief, short answer, one word, single word, one sentence, in a sentence, concise, concisely, keep it short,
        yes or no, only the, just the, answer with the letter, true or false, only output, in one line, kurz, knapp, ein wort,
        brièvement, en un mot, brevemente, en una palabra, 简短, 简洁, 一句话, 短く, 一言で, 簡潔に, 간단히, 짧게, кратко,
        коротко, одним словом
        """
    ),
    "length": tuple(word for _, words in UNITS for word in words),
}
"""Family → its words. The first five are kinds of work, `brief` and `length` belong to the answer, all between to what makes a request
hard."""

PLEASANTRIES = frozenset(
    _listed(
        """
        au revoir, awesome, bonjour, bonsoir, bye, cheers, ciao, cool, dank je, danke, good afternoon, good evening, good morning,
        good night, goodbye, gracias, grazie, great, great thanks, guten morgen, guten tag, hallo, hello, hello there, hey,
        hey there, hi, hi there, hola, how are you, how are you doing, many thanks, merci, merci beaucoup, merhaba,
        muchas gracias, nice, obrigada, obrigado, ok thanks, okay thanks, perfect thanks, salut, see you, thank you,
        thank you so much, thank you very much, thanks, thanks a lot, that is all, that's all, thx, ty, vielen dank, adiós,
        buenos días, cześć, danke schön, dziękuję, olá, teşekkürler, tschüss, здравствуйте, мرحبا, пока, привет, спасибо, شكرا,
        شكراً, مرحبا, धन्यवाद, नमस्ते, ありがとう, ありがとうございます, こんにちは, 你好, 再见, 多谢, 您好, 谢谢, 谢谢你,
        감사합니다, 고마워, 안녕, 안녕하세요
        """
    )
)
"""Turns that ask for nothing, without their punctuation, in lower case: they never inherit the difficulty of what came before."""
