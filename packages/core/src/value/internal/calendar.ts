/**
 * Days of the calendar and digits of a text, as a timestamp needs them.
 *
 * @since 0.1.0
 */

/**
 * Days from 1970-01-01 to a day of the proleptic Gregorian calendar.
 *
 * @category getters
 * @since 0.1.0
 */
export const daysFromCivil = (year: number, month: number, day: number): number => {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/**
 * The year, month and day that lie a number of days after 1970-01-01.
 *
 * @category getters
 * @since 0.1.0
 */
export const civilFromDays = (days: number): readonly [year: number, month: number, day: number] => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1
  return [yearOfEra + era * 400 + (month >= 10 ? 1 : 0), month >= 10 ? month - 9 : month + 3, day]
}

/**
 * How many days a month has.
 *
 * @category getters
 * @since 0.1.0
 */
export const daysInMonth = (year: number, month: number): number =>
  month === 2
    ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28)
    : month === 4 || month === 6 || month === 9 || month === 11
    ? 30
    : 31

/**
 * The digit at an offset, or NaN, which fails every comparison.
 *
 * @category getters
 * @since 0.1.0
 */
export const digitAt = (text: string, at: number): number => {
  const digit = text.charCodeAt(at) - 48
  return digit >= 0 && digit <= 9 ? digit : Number.NaN
}

/**
 * The two digits at an offset, or NaN.
 *
 * @category getters
 * @since 0.1.0
 */
export const twoDigitsAt = (text: string, at: number): number => {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/**
 * Nanoseconds in the last of so many fraction digits.
 *
 * @category constants
 * @since 0.1.0
 */
export const weights = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1]

let lastDate = ""

let lastDays = Number.NaN

/**
 * Days since 1970 of a `yyyy-mm-dd` made of digits, or NaN. Frames come on the same day for a day.
 *
 * @category getters
 * @since 0.1.0
 */
export const daysOf = (date: string): number => {
  if (date === lastDate) return lastDays
  const year = twoDigitsAt(date, 0) * 100 + twoDigitsAt(date, 2)
  const month = twoDigitsAt(date, 5)
  const day = twoDigitsAt(date, 8)
  lastDays = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
    ? daysFromCivil(year, month, day)
    : Number.NaN
  lastDate = date
  return lastDays
}
